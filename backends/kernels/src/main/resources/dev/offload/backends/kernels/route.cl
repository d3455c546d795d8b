// Router scores, numbered as in KernelNumbers.
#define SOFTMAX 0
#define SIGMOID 1
#define SOFTMAX_OF_CHOSEN 2

// Number of the largest, of equal ones the lowest; those taken (NaN never occurs) are left out.
FUNCTION int first_largest(__local const float *numbers, __local const float *taken, int count) {
  int best = -1;
  for (int i = 0; i < count; i++) {
    if (taken[i] == 0.0f && (best < 0 || numbers[i] > numbers[best])) {
      best = i;
    }
  }
  return best;
}

// One token per work-group. Memory: 3 floats per expert, 2 per group, 2 per chosen, 1 per work-item.
// No barrier is in a branch: PoCL 3.1 gets those wrong.
__kernel void route(
    MATRIX(logits), int experts, int per_token, int scoring, int normalise, float scale, int groups, int groups_kept,
    VECTOR(correction), VECTOR(chosen), MATRIX(weights) LOCAL_PARAMETER(memory)) {
  LOCAL_MEMORY(memory)
  __local float *scores = memory;
  __local float *selection = scores + experts;
  __local float *taken = selection + experts;
  __local float *group_scores = taken + experts;
  __local float *group_kept = group_scores + groups;
  __local float *picked = group_kept + groups;
  __local float *picked_weights = picked + per_token;
  __local float *sums = picked_weights + per_token;
  int token = get_group_id(0);
  int item = get_local_id(0);
  int items = get_local_size(0);

  float largest = -INFINITY;
  for (int i = item; i < experts; i += items) {
    float logit = LOAD(logits, token, i);
    scores[i] = logit;
    selection[i] = logit;
    taken[i] = 0.0f;
    largest = fmax(largest, logit);
  }
  largest = max_of_group(sums, largest);
  float sum = 0.0f;
  if (scoring == SOFTMAX) {
    for (int i = item; i < experts; i += items) {
      scores[i] = exp(scores[i] - largest);
      sum += scores[i];
    }
  }
  sum = sum_of_group(sums, sum);
  if (scoring == SOFTMAX) {
    for (int i = item; i < experts; i += items) {
      scores[i] /= sum;
    }
  } else if (scoring == SIGMOID) {
    for (int i = item; i < experts; i += items) {
      scores[i] = sigmoid(scores[i]);
    }
  }
  // Every score grows with its logit; so unless corrected, logits decide: they do not underflow.
  if (correction) {
    for (int i = item; i < experts; i += items) {
      selection[i] = scores[i] + FLOATS(correction)[i];
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);

  // A single group is kept without a look.
  int size = experts / groups;
  int judged = groups > 1 ? groups : 0;
  for (int g = item; g < judged; g += items) {
    float best = -INFINITY;
    float second = -INFINITY;
    for (int i = g * size; i < (g + 1) * size; i++) {
      second = fmax(second, fmin(best, selection[i]));
      best = fmax(best, selection[i]);
    }
    group_scores[g] = correction && size > 1 ? best + second : best;
    group_kept[g] = 0.0f;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  if (item == 0 && judged > 0) {
    for (int i = 0; i < groups_kept; i++) {
      group_kept[first_largest(group_scores, group_kept, judged)] = 1.0f;
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  if (judged > 0) {
    for (int i = item; i < experts; i += items) {
      taken[i] = group_kept[i / size] == 0.0f ? 1.0f : 0.0f;
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);

  // The largest of every work-item's own, then the largest of those: of equal ones the lower number.
  for (int j = 0; j < per_token; j++) {
    int best = -1;
    for (int i = item; i < experts; i += items) {
      if (taken[i] == 0.0f && (best < 0 || selection[i] > selection[best])) {
        best = i;
      }
    }
    sums[item] = (float)best;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (item == 0) {
      for (int o = 1; o < items; o++) {
        int other = (int)sums[o];
        if (other >= 0
            && (best < 0 || selection[other] > selection[best]
                || (selection[other] == selection[best] && other < best))) {
          best = other;
        }
      }
      picked[j] = (float)best;
      picked_weights[j] = scores[best];
      taken[best] = 1.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }

  if (item == 0) {
    if (scoring == SOFTMAX_OF_CHOSEN) {
      float most = picked_weights[0];
      float total = 0.0f;
      for (int j = 0; j < per_token; j++) {
        picked_weights[j] = exp(picked_weights[j] - most);
        total += picked_weights[j];
      }
      for (int j = 0; j < per_token; j++) {
        picked_weights[j] /= total;
      }
    }
    float total = 0.0f;
    for (int j = 0; j < per_token; j++) {
      total += picked_weights[j];
    }
    float factor = normalise ? scale / total : scale;
    for (int j = 0; j < per_token; j++) {
      INTS(chosen)[(ulong)token * per_token + j] = (int)picked[j];
      STORE(weights, token, j, picked_weights[j] * factor);
    }
  }
}
