#!/usr/bin/env bash
# Runs all of PENDING.md on a machine with an NVIDIA GPU, in about an hour and a half, and goes on behind failures.
#   docs/gpu/run.sh [FOLDER]         all steps; output of each in FOLDER (default: docs/gpu/results-DATE)
#   ONLY='doctor|bench' docs/gpu/run.sh   steps whose name matches
# Needs a JDK 25, NVIDIA's driver, NVRTC and cuBLAS (backends/cuda/README.md), python3; compute-sanitizer if it is there.
set -uo pipefail
cd "$(dirname "$0")/../.."
out=${1:-docs/gpu/results-$(date +%F)}
mkdir -p "$out"
out=$(cd "$out" && pwd)
failed=()

# step NAME COMMAND...: runs it, keeps what it prints and how long it took.
step() {
  local name=$1 began=$SECONDS
  shift
  [[ $name =~ ${ONLY:-.} ]] || return 0
  printf '%s ... ' "$name"
  if { echo "\$ $*"; "$@"; } >"$out/$name.txt" 2>&1; then
    echo "passed, $((SECONDS - began)) s"
  else
    echo "FAILED, $((SECONDS - began)) s, see $out/$name.txt"
    failed+=("$name")
  fi
}

tests() { # MODULE TEST [WRAPPER...]
  local module=$1 test=$2
  shift 2
  OFFLOAD_CUDA_REQUIRED=1 OFFLOAD_OPENCL_REQUIRED=1 "$@" ./mvnw -B -ntp -Dquick test -pl "$module" -am \
    -Dtest="$test" -Dsurefire.failIfNoSpecifiedTests=false
}

# The most that this process tree had of the device, against a budget in MiB.
within() { # MIB COMMAND...
  local most=0 used
  local budget=$1
  shift
  "$@" &
  local job=$!
  while kill -0 "$job" 2>/dev/null; do
    used=$(nvidia-smi --query-compute-apps=used_memory --format=csv,noheader,nounits | sort -n | tail -1)
    ((${used:-0} > most)) && most=$used
    sleep 0.5
  done
  wait "$job" || return 1
  echo "device memory by nvidia-smi: at most $most MiB of $budget"
  ((most <= budget))
}

bench() { # NAME SHAPE DEVICE HOST [OPTION...]
  local name=$1 shape=$2 device=$3 host=$4
  shift 4
  step "bench-$name" within $((${device%GiB} * 1024)) ./offload bench --model "examples/shapes/$shape" --device cuda \
    --device-memory "$device" --host-memory "$host" --prompt-tokens 512 --generated-tokens 32 --compare --json "$@"
}

same() { # two runs of a model give the same bytes
  local run=(./offload generate --model examples/models/tiny-moe --device cuda --input examples/prompts.jsonl --overwrite)
  "${run[@]}" --output "$out/one.jsonl" && "${run[@]}" --output "$out/two.jsonl" && cmp "$out/one.jsonl" "$out/two.jsonl"
}

step machine bash -c 'nvidia-smi; nproc; free -g; ulimit -l; java -version'
step build ./mvnw -B -ntp -q -Dquick -DskipTests package
step libraries tests backends/cuda NativeLibrariesTest
step conformance tests backends/cuda 'CudaConformanceTest,CudaBackendTest'
if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck; do
    step "sanitizer-$tool" tests backends/cuda CudaConformanceTest \
      compute-sanitizer --tool "$tool" --target-processes all --error-exitcode 9
  done
else
  echo "sanitizer ... left out: no compute-sanitizer on the PATH"
fi
step opencl tests backends/opencl OpenClConformanceTest
step devices ./offload devices
step doctor ./offload doctor --backend cuda
step profile ./offload profile --device cuda --save "$out/profile.json"
step repeat same
step products backends/benchmarks/run Matmul -p backend=cuda
step copies backends/benchmarks/run Copy -p backend=cuda

bench opt-30b opt-30b 16GiB 100GiB
bench llama-3-8b llama-3-8b 8GiB 100GiB
bench mixtral-24 mixtral-8x7b 24GiB 110GiB
bench mixtral-16 mixtral-8x7b 16GiB 110GiB
bench qwen3-30b-a3b qwen3-30b-a3b 16GiB 100GiB
bench llama-3-8b-resident llama-3-8b 100GiB 16GiB
bench llama-3-8b-batch-1 llama-3-8b 100GiB 16GiB --requests 1
bench opt-13b-disk opt-13b 8GiB 12GiB

echo
if ((${#failed[@]})); then
  echo "failed: ${failed[*]}"
  exit 1
fi
echo "all passed; results in $out"
