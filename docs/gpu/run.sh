#!/usr/bin/env bash
# Runs all of PENDING.md on a machine with an NVIDIA GPU, in about an hour and a half, and goes on behind failures.
#   docs/gpu/run.sh [FOLDER]         all steps; output of each in FOLDER (default: docs/gpu/results-DATE)
#   ONLY='doctor|bench' docs/gpu/run.sh   steps whose name matches
#   DEVICE=opencl:0 ONLY=models docs/gpu/run.sh   the steps of small models on another device
# In a checkout it needs a JDK 25; in the image that -Pdist makes nothing, and leaves out what only a checkout has. Where
# examples/models/tiny-dense and tiny-moe (16 MiB) and the tests that docs/gpu/tests.sh packs are carried along, the
# image runs them too.
# Both need NVIDIA's driver, NVRTC and cuBLAS (backends/cuda/README.md), and compute-sanitizer if it is there.
set -uo pipefail
cd "$(dirname "$0")/../.."
out=${1:-docs/gpu/results-$(date +%F)}
mkdir -p "$out"
out=$(cd "$out" && pwd)
failed=()
checkout=
program=bin/offload
device=${DEVICE:-cuda}
models=(tiny-dense tiny-moe)
[[ -x mvnw ]] && checkout=yes program=./offload

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

# A step that a checkout is needed for.
checkout_step() {
  if [[ $checkout ]]; then
    step "$@"
  elif [[ $1 =~ ${ONLY:-.} ]]; then
    echo "$1 ... left out: this is no checkout"
  fi
}

tests() { # MODULE TEST
  OFFLOAD_CUDA_REQUIRED=1 OFFLOAD_OPENCL_REQUIRED=1 ./mvnw -B -ntp -Dquick test -pl "$1" -am \
    -Dtest="$2" -Dsurefire.failIfNoSpecifiedTests=false
}

image_tests() { # TEST...
  (cd tests && OFFLOAD_CUDA_REQUIRED=1 ../runtime/bin/java @../lib/java.options ${OFFLOAD_JAVA_OPTIONS:-} \
    -cp 'lib/*:../lib/*' dev.offload.engine.DeviceTests "$@")
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
  local trace="$out/bench-$name.trace.json"
  shift 4
  [[ bench-$name =~ ${ONLY:-.} ]] && rm -f "$trace"
  step "bench-$name" within $((${device%GiB} * 1024)) "$program" bench --model "examples/shapes/$shape" --device cuda \
    --device-memory "$device" --host-memory "$host" --prompt-tokens 512 --generated-tokens 32 --compare --json \
    --trace "$trace" "$@"
}

# A step that the small models are needed for.
model_step() {
  if [[ -r examples/models/${models[0]}/config.json ]]; then
    step "$@"
  elif [[ $1 =~ ${ONLY:-.} ]]; then
    echo "$1 ... left out: there is no examples/models/${models[0]}"
  fi
}

answers() { # MODEL OUTPUT OPTION...
  local model=$1 output=$2
  shift 2
  "$program" generate --model "examples/models/$model" --input examples/prompts.jsonl --output "$out/$output.jsonl" \
    --overwrite "$@"
}

same() { # two runs of a model give the same bytes
  answers tiny-moe one --device "$device" && answers tiny-moe two --device "$device" &&
    cmp "$out/one.jsonl" "$out/two.jsonl"
}

# Small models answer as on the processor, whose answers are those of Hugging Face transformers (TrainedModelsTest).
models() {
  local model
  for model in "${models[@]}"; do
    answers "$model" "$model-cpu" --device cpu --dtype float32 || return 1
    answers "$model" "$model-device" --device "$device" --dtype float32 || return 1
    cmp "$out/$model-cpu.jsonl" "$out/$model-device.jsonl" || return 1
  done
}

# With the least device memory that is accepted, so that weights and cache stay away from the device, the answers are
# the same; also with so little host memory that weights stay on disk. Budgets contain what the driver takes.
placement() {
  local model host budget low high
  for model in "${models[@]}"; do
    answers "$model" "$model-roomy" --device "$device" --dtype float32 || return 1
    for host in 1GiB 24MiB; do
      low=0 high=4096
      while ((high - low > 2)); do
        budget=$(((low + high) / 2))
        if answers "$model" "$model-tight" --device "$device" --dtype float32 --device-memory "${budget}MiB" \
          --host-memory "$host" 2>"$out/placement-refusal.txt"; then
          high=$budget
        else
          low=$budget
        fi
      done
      echo "$model: $high MiB of device memory are enough with $host of host memory"
      answers "$model" "$model-tight" --device "$device" --dtype float32 --device-memory "${high}MiB" \
        --host-memory "$host" --report "$out/$model-$host.json" || return 1
      cmp "$out/$model-roomy.jsonl" "$out/$model-tight.jsonl" || return 1
    done
  done
}

step machine bash -c 'nvidia-smi; nproc; free -g; ulimit -l'
checkout_step build ./mvnw -B -ntp -q -Dquick -DskipTests package
checkout_step libraries tests backends/cuda NativeLibrariesTest
checkout_step conformance tests backends/cuda 'CudaConformanceTest,CudaBackendTest'
if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck; do
    step "sanitizer-$tool" \
      compute-sanitizer --tool "$tool" --target-processes all --error-exitcode 9 "$program" doctor --backend cuda
  done
else
  echo "sanitizer ... left out: no compute-sanitizer on the PATH"
fi
if [[ ! $checkout && -d tests/lib ]]; then
  step fixtures image_tests ReferenceModelsTest PlacementTest PreemptionTest
else
  checkout_step fixtures tests engine 'ReferenceModelsTest,PlacementTest,PreemptionTest'
fi
checkout_step opencl tests backends/opencl OpenClConformanceTest
step devices "$program" devices
step doctor "$program" doctor --backend cuda
step doctor-opencl "$program" doctor --backend opencl
step profile "$program" profile --device cuda --save "$out/profile.json"
model_step models models
model_step placement placement
model_step repeat same
checkout_step products backends/benchmarks/run Matmul -p backend=cuda
checkout_step copies backends/benchmarks/run Copy -p backend=cuda
checkout_step attention backends/benchmarks/run Attention -p backend=cuda
checkout_step attention-portable backends/benchmarks/run Attention -p backend=cuda \
  -jvmArgsAppend -Doffload.cuda.tensorCores=false

# Two to three times as many requests as the planner would have in flight on an H200: two minutes each, if predictions hold.
bench opt-30b opt-30b 16GiB 100GiB --requests 240
bench llama-3-8b llama-3-8b 8GiB 100GiB --requests 2560
bench mixtral-24 mixtral-8x7b 24GiB 110GiB --requests 1280
bench mixtral-16 mixtral-8x7b 16GiB 110GiB --requests 1280
bench qwen3-30b-a3b qwen3-30b-a3b 16GiB 100GiB --requests 2048
bench llama-3-8b-resident llama-3-8b 100GiB 16GiB --requests 2048
bench llama-3-8b-batch-1 llama-3-8b 100GiB 16GiB --requests 1
bench qwen3-30b-a3b-resident qwen3-30b-a3b 100GiB 16GiB --requests 2048
bench opt-13b-disk opt-13b 8GiB 12GiB --requests 96

echo
if ((${#failed[@]})); then
  echo "failed: ${failed[*]}"
  exit 1
fi
echo "all passed; results in $out"
