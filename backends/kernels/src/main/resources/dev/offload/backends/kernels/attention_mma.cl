// attend_span of attention.cl, which comes before, for CUDA devices that multiply matrices of BF16: a warp computes
// sixteen query vectors, STEP_TOKENS tokens at a time, and rescales its sums whenever a larger score comes (Dao,
// FlashAttention-2, 2023, algorithm 1). Numbers of F32 are multiplied as sums of numbers of BF16, so that results are
// as exact as those of the portable kernel. What a vector gets does not depend on the others of its tile here either:
// tokens that it does not see change nothing, not even the rounding.
//
// Compiled for HEAD_DIM and VALUE_DIM, multiples of 16, and QUERY_PARTS, numbers of BF16 that add up to a query's.
#define STEP_TOKENS 32
#define STEP_TILES (STEP_TOKENS / 8)
#define VALUE_TILES (VALUE_DIM / 8)
// Two parts leave an error of 2^-18 of a weight.
#define WEIGHT_PARTS 2

// Rows lie so that eight of them are in different banks.
#define QUERY_STRIDE (HEAD_DIM + 8)
#define KEY_STRIDE (STEP_TOKENS + 8)
#define VALUE_STRIDE (VALUE_DIM + 8)
#define KEY_FLOATS (HEAD_DIM * KEY_STRIDE / 2)
#define VALUE_FLOATS (STEP_TOKENS * VALUE_STRIDE / 2)
#define STAGE_FLOATS (KEY_FLOATS > VALUE_FLOATS ? KEY_FLOATS : VALUE_FLOATS)

// Takes what BF16 holds off two numbers.
FUNCTION uint take_part(float *pair) {
  uint part = pack_bf16(pair[0], pair[1]);
  pair[0] -= as_float(part << 16);
  pair[1] -= as_float(part & 0xffff0000u);
  return part;
}

// The largest of four lanes that share rows of a product, and their sum.
FUNCTION float max_of_row(float x) {
  x = fmax(x, of_neighbour(x, 1));
  return fmax(x, of_neighbour(x, 2));
}
FUNCTION float sum_of_row(float x) {
  x += of_neighbour(x, 1);
  return x + of_neighbour(x, 2);
}

__kernel void attend_span_mma(
    MATRIX(queries), KV_CACHE, BATCH, VECTOR(tiles), int tile_vectors, int heads, float scale, int window,
    float cap, int end_span, int spans, int first_row, int end_row, int run_shift, VECTOR(partials),
    __global int *status LOCAL_PARAMETER(memory)) {
  LOCAL_MEMORY(memory)
  int run_tokens = 1 << run_shift;
  int item = get_local_id(0);
  int items = get_local_size(0);
  int tile_number = get_group_id(0) / end_span;
  int span = get_group_id(0) % end_span;
  int kv_head = get_group_id(1);
  if (tile_number >= INTS(tiles)[0]) {
    return;
  }
  const __global int *tile = INTS(tiles) + 1 + (ulong)tile_number * TILE_INTS;
  int group = heads / kv_heads;
  int run_row = tile[0];
  int first_vector = tile[1];
  int vectors = tile[2];
  int sequence = tile[3];
  int tile_first_row = run_row + first_vector / group;
  int tile_last_row = run_row + (first_vector + vectors - 1) / group;
  if (span < tile[4] || tile_last_row < first_row || tile_first_row >= end_row) {
    return;
  }

  __local ushort *stage = (__local ushort *)memory;                  // keys, then values, of a step
  __local float *query = memory + STAGE_FLOATS;                      // [tile_vectors][QUERY_STRIDE]
  __local int *positions = (__local int *)(query + tile_vectors * QUERY_STRIDE);  // [tile_vectors]
  __local int *run_blocks = positions + tile_vectors;                // [SPAN_TOKENS / run_tokens]
  __local int *run_slots = run_blocks + SPAN_TOKENS / run_tokens;    // [SPAN_TOKENS / run_tokens]

  // Vectors beyond the last repeat it.
  for (int v = item; v < tile_vectors; v += items) {
    int row = run_row + (first_vector + (v < vectors ? v : vectors - 1)) / group;
    int s = sequence_of_row(INTS(row_starts), sequences, row);
    positions[v] = INTS(contexts)[s] - (INTS(row_starts)[s + 1] - row);
  }
  for (int n = item; n < tile_vectors * (HEAD_DIM / 8); n += items) {
    int v = n / (HEAD_DIM / 8);
    int i = n % (HEAD_DIM / 8) * 8;
    int vector = first_vector + (v < vectors ? v : vectors - 1);
    int column = (kv_head * group + vector % group) * HEAD_DIM + i;
    vstore8(
        load8(
            queries + queries_offset, (ulong)(run_row + vector / group) * queries_stride + column, queries_type),
        0, query + v * QUERY_STRIDE + i);
  }
  barrier(CLK_LOCAL_MEM_FENCE);

  // The tokens that any vector sees; of those none is missing in the cache.
  int from = span * SPAN_TOKENS;
  int to = from + SPAN_TOKENS;
  int first_seen = to;
  int last_seen = -1;
  for (int v = 0; v < vectors; v++) {
    int seen = first_visible(positions[v], window);
    first_seen = seen < first_seen ? seen : first_seen;
    last_seen = positions[v] > last_seen ? positions[v] : last_seen;
  }
  int low = (first_seen > from ? first_seen : from) - from;
  int high = (last_seen + 1 < to ? last_seen + 1 : to) - from;
  if (low >= high) {
    return;
  }
  for (int n = item; n < SPAN_TOKENS / run_tokens; n += items) {
    // What nobody sees is taken from block 0, and counts nothing.
    int block = 0;
    int token = n * run_tokens;
    if (token < high && token + run_tokens > low) {
      block = INTS(table)[(ulong)sequence * max_blocks + (from + token) / block_tokens];
      if (block < 0 || block >= blocks) {
        fail(status, BLOCK_OUT_OF_RANGE, block, blocks, sequence);
        block = 0;
      }
    }
    run_blocks[n] = block;
    run_slots[n] = (from + token) % block_tokens;
  }

  // A lane has two rows of sixteen, and two columns of eight.
  int lane = item % 32;
  int warp_vector = item / 32 * 16;
  int computes = warp_vector < vectors;
  int column = lane % 4 * 2;
  const __local float *warp_query = query + (warp_vector + lane / 4) * QUERY_STRIDE;
  float sums[VALUE_TILES][4];
  float most[2] = {-INFINITY, -INFINITY};
  float total[2] = {0.0f, 0.0f};
  int first[2];
  int last[2];
#pragma unroll
  for (int half = 0; half < 2; half++) {
    int position = positions[warp_vector + lane / 4 + half * 8];
    first[half] = first_visible(position, window) - from;
    last[half] = position - from;
  }
#pragma unroll
  for (int n = 0; n < VALUE_TILES; n++) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      sums[n][i] = 0.0f;
    }
  }

  const __global uchar *numbers = cache + cache_offset;
  int run_mask = run_tokens - 1;
  for (int step = low / STEP_TOKENS * STEP_TOKENS; step < high; step += STEP_TOKENS) {
    barrier(CLK_LOCAL_MEM_FENCE);
    // A work-item has eight tokens, of every so many numbers of a key.
    int octet = step + item % STEP_TILES * 8;
    ulong octet_at = KEY_AT(
        run_blocks[octet >> run_shift], kv_head, run_slots[octet >> run_shift] + (octet & run_mask), 0);
    for (int i = item / STEP_TILES; i < HEAD_DIM; i += items / STEP_TILES) {
      begin_copy16(stage + i * KEY_STRIDE + octet - step, numbers + 2 * (octet_at + (ulong)i * block_tokens));
    }
    await_copies();
    barrier(CLK_LOCAL_MEM_FENCE);

    // Scores, then weights.
    float weights[STEP_TILES][4];
    if (computes) {
#pragma unroll
      for (int n = 0; n < STEP_TILES; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
          weights[n][i] = 0.0f;
        }
      }
      for (int i = 0; i < HEAD_DIM; i += 16) {
        uint parts[QUERY_PARTS][4];
#pragma unroll
        for (int r = 0; r < 4; r++) {
          const __local float *at = warp_query + r % 2 * 8 * QUERY_STRIDE + i + r / 2 * 8 + column;
          float pair[2] = {at[0], at[1]};
#pragma unroll
          for (int p = 0; p < QUERY_PARTS; p++) {
            parts[p][r] = take_part(pair);
          }
        }
#pragma unroll
        for (int n = 0; n < STEP_TILES; n += 2) {
          uint keys[4];
          load_transposed(keys, stage + (i + lane % 16) * KEY_STRIDE + n * 8 + lane / 16 * 8);
#pragma unroll
          for (int p = QUERY_PARTS - 1; p >= 0; p--) {
            multiply_add(weights[n], parts[p], keys[0], keys[1]);
            multiply_add(weights[n + 1], parts[p], keys[2], keys[3]);
          }
        }
      }
#pragma unroll
      for (int half = 0; half < 2; half++) {
        float largest = most[half];
#pragma unroll
        for (int n = 0; n < STEP_TILES; n++) {
#pragma unroll
          for (int i = half * 2; i < half * 2 + 2; i++) {
            int token = step + n * 8 + column + i % 2;
            float score = weights[n][i] * scale;
            if (cap > 0.0f) {
              score = tanh(score / cap) * cap;
            }
            score = token >= first[half] && token <= last[half] ? score : -INFINITY;
            weights[n][i] = score;
            largest = fmax(largest, score);
          }
        }
        largest = max_of_row(largest);
        float base = largest == -INFINITY ? 0.0f : largest;
        float factor = exp(most[half] - base);
        most[half] = largest;
        total[half] *= factor;
#pragma unroll
        for (int n = 0; n < STEP_TILES; n++) {
#pragma unroll
          for (int i = half * 2; i < half * 2 + 2; i++) {
            weights[n][i] = exp(weights[n][i] - base);
            total[half] += weights[n][i];
          }
        }
#pragma unroll
        for (int n = 0; n < VALUE_TILES; n++) {
          sums[n][half * 2] *= factor;
          sums[n][half * 2 + 1] *= factor;
        }
      }
    }

    barrier(CLK_LOCAL_MEM_FENCE);
    for (int n = item; n < STEP_TOKENS * (VALUE_DIM / 8); n += items) {
      int token = step + n / (VALUE_DIM / 8);
      int i = n % (VALUE_DIM / 8) * 8;
      __local ushort *to_stage = stage + (token - step) * VALUE_STRIDE + i;
      // Nothing is known of tokens that nobody sees.
      if (token < low || token >= high) {
#pragma unroll
        for (int j = 0; j < 8; j++) {
          to_stage[j] = 0;
        }
      } else {
        int run = token >> run_shift;
        ulong at = VALUE_AT(run_blocks[run], kv_head, run_slots[run] + (token & run_mask), i);
        begin_copy16(to_stage, numbers + 2 * at);
      }
    }
    await_copies();
    barrier(CLK_LOCAL_MEM_FENCE);

    if (computes) {
#pragma unroll
      for (int t = 0; t < STEP_TILES; t += 2) {
        uint parts[WEIGHT_PARTS][4];
#pragma unroll
        for (int r = 0; r < 4; r++) {
          float pair[2] = {weights[t + r / 2][r % 2 * 2], weights[t + r / 2][r % 2 * 2 + 1]};
#pragma unroll
          for (int p = 0; p < WEIGHT_PARTS; p++) {
            parts[p][r] = take_part(pair);
          }
        }
#pragma unroll
        for (int n = 0; n < VALUE_TILES; n += 2) {
          uint values[4];
          load_transposed(values, stage + (t * 8 + lane % 16) * VALUE_STRIDE + n * 8 + lane / 16 * 8);
#pragma unroll
          for (int p = WEIGHT_PARTS - 1; p >= 0; p--) {
            multiply_add(sums[n], parts[p], values[0], values[1]);
            multiply_add(sums[n + 1], parts[p], values[2], values[3]);
          }
        }
      }
    }
  }

  if (!computes) {
    return;
  }
#pragma unroll
  for (int half = 0; half < 2; half++) {
    float all = sum_of_row(total[half]);
    int v = warp_vector + lane / 4 + half * 8;
    int row = run_row + (first_vector + v) / group;
    if (v >= vectors || row < first_row || row >= end_row) {
      continue;
    }
    __global float *partial = PARTIAL(row, kv_head * group + (first_vector + v) % group, span);
#pragma unroll
    for (int n = 0; n < VALUE_TILES; n++) {
      partial[n * 8 + column] = sums[n][half * 2];
      partial[n * 8 + column + 1] = sums[n][half * 2 + 1];
    }
    if (lane % 4 == 0) {
      partial[value_dim] = most[half];
      partial[value_dim + 1] = all;
    }
  }
}
