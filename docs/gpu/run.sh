#!/usr/bin/env bash
# Runs all of PENDING.md on a machine with an NVIDIA GPU, in about two hours, and goes on behind failures.
#   docs/gpu/run.sh [FOLDER]         all steps; output of each in FOLDER (default: docs/gpu/results-DATE)
#   ONLY='doctor|bench' docs/gpu/run.sh   steps whose name matches; PENDING.md parts them into runs of ten minutes
#   STEP_MINUTES=9 docs/gpu/run.sh   ends steps that take longer (default: 30)
#   TEMP_FOLDER=/data docs/gpu/run.sh   a folder on the disk that is to be measured, with 30 GB free (default: /tmp)
#   DEVICE=opencl:0 ONLY=models docs/gpu/run.sh   the steps of small models on another device
# Every run adds to FOLDER, so that parts may be run apart; summary.txt and table.md there have a line for each step.
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
temporary=${TEMP_FOLDER:-/tmp}
models=(tiny-dense tiny-moe)
[[ -x mvnw ]] && checkout=yes program=./offload

# Ends all that a step has started: it leads a process group.
job=
end_group() { [[ $job ]] && kill "-$1" "-$job" 2>/dev/null; }
trap 'end_group TERM; exit 130' INT TERM

# limited COMMAND...: runs it in a process group of its own, at most STEP_MINUTES long.
limited() {
  local left=$((${STEP_MINUTES:-30} * 60))
  set -m
  ("$@") &
  job=$!
  set +m
  while kill -0 "$job" 2>/dev/null && ((left-- > 0)); do sleep 1; done
  if ((left < 0)); then
    echo "ended after ${STEP_MINUTES:-30} minutes"
    end_group TERM
    sleep 5
    end_group KILL
  fi
  wait "$job"
}

# step NAME COMMAND...: runs it, keeps what it prints and how long it took.
step() {
  local name=$1 began=$SECONDS result
  shift
  [[ $name =~ ${ONLY:-.} ]] || return 0
  printf '%s ... ' "$name"
  if { echo "\$ $*"; limited "$@"; } >"$out/$name.txt" 2>&1; then
    result=passed
    echo "passed, $((SECONDS - began)) s"
  else
    result=FAILED
    echo "FAILED, $((SECONDS - began)) s, see $out/$name.txt"
    failed+=("$name")
  fi
  echo "$(date -u +%FT%TZ) $name $result $((SECONDS - began)) s" >>"$out/summary.txt"
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

# What one query of nvidia-smi says of the first device, a number.
ask() { nvidia-smi --id=0 "$1" --format=csv,noheader,nounits 2>/dev/null | sort -n | tail -1 | grep -Eo '^[0-9]+'; }

# The most of the device's memory that was in use beyond what was before, against a budget in MiB.
within() { # MIB COMMAND...
  local budget=$1 before most=0 now
  shift
  before=$(ask --query-gpu=memory.used) || { echo "nvidia-smi does not say what is in use"; return 1; }
  ask --query-compute-apps=used_memory >/dev/null && { echo "another process uses the device"; return 1; }
  "$@" &
  local job=$!
  while kill -0 "$job" 2>/dev/null; do
    now=$(ask --query-compute-apps=used_memory) || now=$(($(ask --query-gpu=memory.used) - before))
    ((now > most)) && most=$now
    sleep 0.5
  done
  wait "$job" || return 1
  echo "device memory by nvidia-smi: at most $most MiB of $budget"
  ((most > 0 && most <= budget))
}

profile=$out/profile.json
profile() { "$program" profile --device cuda --temp "$temporary" --save "$profile"; }

# The same job on paper and on the device. Predicted from the saved profile: measuring in between takes memory beside the budget.
bench() { # NAME SHAPE DEVICE HOST [OPTION...]
  local name=$1 shape=$2 device=$3 host=$4
  local trace="$out/bench-$name.trace.json"
  shift 4
  [[ bench-$name =~ ${ONLY:-.} ]] || return 0
  rm -f "$trace"
  [[ -r $profile ]] || ONLY=. step profile profile
  local compare=(--compare --profile "$profile")
  [[ " $* " == *" --shared-prefix-tokens "* ]] && compare=() # which no forecast knows of
  step "bench-$name" within $((${device%GiB} * 1024)) "$program" bench --model "examples/shapes/$shape" --device cuda \
    --device-memory "$device" --host-memory "$host" --temp "$temporary" --prompt-tokens 512 --generated-tokens 32 \
    "${compare[@]}" --json --trace "$trace" "$@"
}

# What the preset would make of it, without a device. Takes no part in the others.
plan() { # NAME SHAPE DEVICE HOST REQUESTS
  step "plan-$1" "$program" plan --model "examples/shapes/$2" --hardware h200 --device-memory "$3" --host-memory "$4" \
    --prompt-tokens 512 --generated-tokens 32 --requests "$5" --json
}

# A number of a step's object, scaled.
number() { # FILE FIELD SCALE FORMAT
  local found
  found=$(grep -Eo "\"$2\":-?[0-9.Ee+-]+" "$1" | head -1 | cut -d: -f2)
  [[ $found ]] && awk -v x="$found" -v s="$3" -v f="$4" 'BEGIN { printf f, x * s }' || printf -- '-'
}

# Of every benchmark in the folder: bound, predicted, measured, shares, lanes.
table() {
  local file
  echo "| step | measured tokens/s | bound | with streaming | share of that | forecast off by | h2d GB/s | of | h2d busy | gpu | cpu | disk | load s | device MiB |"
  echo "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
  for file in "$out"/bench-*.txt; do
    grep -q '"total_tokens_per_s"' "$file" 2>/dev/null || continue
    local measured streaming
    measured=$(number "$file" total_tokens_per_s 1 %.6g)
    streaming=$(number "$file" streaming_bound_tokens_per_s 1 %.6g)
    printf '| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n' "$(basename "$file" .txt)" \
      "$measured" "$(number "$file" bound_tokens_per_s 1 %.6g)" "$streaming" \
      "$(awk -v m="$measured" -v b="$streaming" 'BEGIN { if (b > 0) printf "%.1f %%", 100 * m / b; else printf "-" }')" \
      "$(number "$file" error 100 '%.1f %%')" \
      "$(number "$file" streamed_busy_bytes_per_s 1e-9 %.1f)" "$(number "$file" copy_ceiling_bytes_per_s 1e-9 %.1f)" \
      "$(number "$file" h2d 100 '%.0f %%')" "$(number "$file" gpu 100 '%.0f %%')" "$(number "$file" cpu 100 '%.0f %%')" \
      "$(number "$file" disk 100 '%.0f %%')" "$(number "$file" load_seconds 1 %.0f)" \
      "$(grep -Eo 'at most [0-9]+ MiB' "$file" | grep -Eo '[0-9]+')"
  done
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
        --host-memory "$host" --report "$out/$model-$host.json" --overwrite || return 1
      tr -d ' \n' <"$out/$model-$host.json" | grep -Eo '"weights":\{[^}]*"(host|disk)":[1-9][^}]*\}' ||
        { echo "all weights of $model are on the device"; return 1; }
      cmp "$out/$model-roomy.jsonl" "$out/$model-tight.jsonl" || return 1
    done
  done
}

# A budget in which the models of the resident steps fit: a tenth of the device is left to the driver and others.
resident() {
  local total
  total=$(ask --query-gpu=memory.total) || total=0
  echo "$((total * 9 / 10 / 1024 < 100 ? total * 9 / 10 / 1024 : 100))GiB"
}

step machine bash -c 'nvidia-smi; nvidia-smi -q -d PCI | grep -A8 "GPU Link Info"; nproc; free -g; df -h / /tmp; ulimit -l; uname -r'
checkout_step build ./mvnw -B -ntp -q -Dquick -DskipTests package
step devices "$program" devices
step doctor "$program" doctor --backend cuda
step profile profile
model_step models models
model_step repeat same
model_step placement placement
checkout_step libraries tests backends/cuda NativeLibrariesTest
checkout_step conformance tests backends/cuda 'CudaConformanceTest,CudaBackendTest'
if [[ ! $checkout && -d tests/lib ]]; then
  step fixtures image_tests ReferenceModelsTest PlacementTest PreemptionTest
else
  checkout_step fixtures tests engine 'ReferenceModelsTest,PlacementTest,PreemptionTest'
fi
checkout_step opencl tests backends/opencl OpenClConformanceTest
step doctor-opencl "$program" doctor --backend opencl

# Two to three times as many requests as the planner would have in flight on an H200: two to five minutes each, if
# predictions hold.
bench opt-30b opt-30b 16GiB 100GiB --requests 240
bench llama-3-8b llama-3-8b 8GiB 100GiB --requests 2560
bench mixtral-24 mixtral-8x7b 24GiB 110GiB --requests 1280
bench mixtral-16 mixtral-8x7b 16GiB 110GiB --requests 1280
bench qwen3-30b-a3b qwen3-30b-a3b 16GiB 100GiB --requests 2048
bench llama-3-8b-resident llama-3-8b "$(resident)" 16GiB --requests 2048
bench llama-3-8b-batch-1 llama-3-8b "$(resident)" 16GiB --requests 1
bench qwen3-30b-a3b-resident qwen3-30b-a3b "$(resident)" 16GiB --requests 2048
bench opt-13b-disk opt-13b 8GiB 12GiB --requests 96
bench mixtral-few mixtral-8x7b 16GiB 110GiB --requests 16
bench llama-3-8b-prefix llama-3-8b 8GiB 100GiB --requests 2560 --shared-prefix-tokens 448
bench opt-13b-copied opt-13b 8GiB 40GiB --requests 240
bench opt-13b-mapped opt-13b 8GiB 40GiB --requests 240 --map-weights

plan opt-30b opt-30b 16GiB 100GiB 240
plan llama-3-8b llama-3-8b 8GiB 100GiB 2560
plan mixtral-24 mixtral-8x7b 24GiB 110GiB 1280
plan mixtral-16 mixtral-8x7b 16GiB 110GiB 1280
plan qwen3-30b-a3b qwen3-30b-a3b 16GiB 100GiB 2048

if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck; do
    for topic in Memory Stream Matmul Row Norm Activation Rope Attention Routing Largest; do
      step "sanitizer-$tool-$topic" compute-sanitizer --tool "$tool" --target-processes all --error-exitcode 9 \
        "$program" doctor --backend cuda --checks "$topic"
    done
  done
else
  echo "sanitizer ... left out: no compute-sanitizer on the PATH"
fi

checkout_step products backends/benchmarks/run Matmul -p backend=cuda
for tiled in true false; do
  checkout_step "products-opencl$([[ $tiled == true ]] || echo -untiled)" backends/benchmarks/run Matmul \
    -p backend=opencl -p rows=16,32,64,512 -p shape=5120x960 \
    -jvmArgsAppend "-Doffload.opencl.dedicatedLocalMemory=$tiled"
done
checkout_step copies backends/benchmarks/run Copy -p backend=cuda
checkout_step attention backends/benchmarks/run Attention -p backend=cuda
checkout_step attention-portable backends/benchmarks/run Attention -p backend=cuda \
  -jvmArgsAppend -Doffload.cuda.tensorCores=false

table >"$out/table.md"
echo
if ((${#failed[@]})); then
  echo "failed: ${failed[*]}"
  exit 1
fi
echo "all passed; results in $out"
