// Attention over paged keys and values, split over their length. A span of SPAN_TOKENS positions gives every query
// vector a partial result: the largest score, the sum of the weights, the weighted sum of the values. merge adds the
// partials up, spans ascending. How a span is computed does not depend on which query vectors share a work-group,
// so a row gets the same result in any company.
//
// Query vector f of a run of rows is head f % group of its KV head, in row f / group of the run. A tile is some
// query vectors of a run: (first row of the run, first vector, vectors, sequence whose blocks are read, first span).
#define TILE_INTS 5

#define BATCH                                                                                                \
  int sequences, int max_blocks, VECTOR(row_starts), VECTOR(contexts), VECTOR(table), VECTOR(first_spans)

FUNCTION int sequence_of_row(const __global int *row_starts, int sequences, int row) {
  int low = 0;
  int high = sequences - 1;
  while (low < high) {
    int middle = (low + high + 1) / 2;
    if (row_starts[middle] <= row) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

FUNCTION int first_visible(int position, int window) {
  return window == 0 || position < window ? 0 : position - window + 1;
}

// Checks that the sequences of a run begin with the same blocks, and leaves the whole spans of these out of what is
// computed sequence by sequence. One work-group; first_spans is zero before.
__kernel void share_prefix(
    BATCH, int first, int end, int shared_tokens, int block_tokens, __global int *status) {
  const __global int *starts = INTS(row_starts);
  int shared_blocks = shared_tokens / block_tokens;
  for (int s = first + get_local_id(0); s < end; s += get_local_size(0)) {
    int position = INTS(contexts)[s] - (starts[s + 1] - starts[s]);
    for (int b = 0; b < shared_blocks; b++) {
      if (INTS(table)[(ulong)s * max_blocks + b] != INTS(table)[(ulong)first * max_blocks + b]) {
        fail(status, PREFIX_NOT_SHARED, first, s, shared_blocks);
        break;
      }
    }
    if (position < shared_tokens) {
      fail(status, ROW_IN_PREFIX, s, position, shared_tokens);
    }
    INTS(first_spans)[s] = shared_tokens / SPAN_TOKENS;
  }
}

__kernel void clear(VECTOR(first_spans), int count) {
  for (int i = get_local_id(0); i < count; i += get_local_size(0)) {
    INTS(first_spans)[i] = 0;
  }
}

// Cuts the rows of all sequences in tiles. One work-group; memory holds one float per work-item. On contradictions
// there are no tiles.
__kernel void plan_tiles(
    BATCH, int tokens, int longest_context, int block_tokens, int group, int tile_vectors,
    VECTOR(tiles), __global int *status LOCAL_PARAMETER(memory)) {
  LOCAL_MEMORY(memory)
  const __global int *starts = INTS(row_starts);
  __global int *count = INTS(tiles);
  int item = get_local_id(0);
  int items = get_local_size(0);
  float wrong = 0.0f;
  if (item == 0 && (starts[0] != 0 || starts[sequences] != tokens)) {
    fail(status, ROWS_CONTRADICT, starts[0], starts[sequences], tokens);
    wrong = 1.0f;
  }
  for (int s = item; s < sequences; s += items) {
    int rows = starts[s + 1] - starts[s];
    int context = INTS(contexts)[s];
    if (rows < 0 || rows > context || context > longest_context
        || (context + block_tokens - 1) / block_tokens > max_blocks) {
      fail(status, CONTEXT_CONTRADICTS, s, rows, context);
      wrong = 1.0f;
    }
  }
  if (sum_of_group(memory, wrong) != 0.0f) {
    if (item == 0) {
      *count = 0;
    }
    return;
  }
  __local int *ends = (__local int *)memory;
  int before = 0;
  for (int first = 0; first < sequences; first += items) {
    int s = first + item;
    int vectors = s < sequences ? (starts[s + 1] - starts[s]) * group : 0;
    int mine = (vectors + tile_vectors - 1) / tile_vectors;
    ends[item] = mine;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int distance = 1; distance < items; distance *= 2) {
      int add = item >= distance ? ends[item - distance] : 0;
      barrier(CLK_LOCAL_MEM_FENCE);
      ends[item] += add;
      barrier(CLK_LOCAL_MEM_FENCE);
    }
    int at = before + ends[item] - mine;
    for (int t = 0; t < mine; t++) {
      __global int *tile = count + 1 + (ulong)(at + t) * TILE_INTS;
      tile[0] = starts[s];
      tile[1] = t * tile_vectors;
      tile[2] = vectors - t * tile_vectors < tile_vectors ? vectors - t * tile_vectors : tile_vectors;
      tile[3] = s;
      tile[4] = INTS(first_spans)[s];
    }
    before += ends[items - 1];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  if (item == 0) {
    *count = before;
  }
}

// The tiles of the rows of a run of sequences over the spans they share.
__kernel void plan_prefix_tiles(
    BATCH, int first, int end, int group, int tile_vectors, VECTOR(tiles), VECTOR(prefix_tiles)) {
  __global int *count = INTS(prefix_tiles);
  if (INTS(tiles)[0] == 0) {
    if (get_local_id(0) == 0) {
      *count = 0;
    }
    return;
  }
  int start = INTS(row_starts)[first];
  int vectors = (INTS(row_starts)[end] - start) * group;
  for (int t = get_local_id(0); t * tile_vectors < vectors; t += get_local_size(0)) {
    __global int *tile = count + 1 + (ulong)t * TILE_INTS;
    tile[0] = start;
    tile[1] = t * tile_vectors;
    tile[2] = vectors - t * tile_vectors < tile_vectors ? vectors - t * tile_vectors : tile_vectors;
    tile[3] = first;
    tile[4] = 0;
  }
  if (get_local_id(0) == 0) {
    *count = (vectors + tile_vectors - 1) / tile_vectors;
  }
}

// Partial of a query vector and a span: value_dim sums, then the largest score, then the sum of the weights.
#define PARTIAL(row, head, span)                                                                             \
  (FLOATS(partials) + (((ulong)((row)-first_row) * heads + (head)) * spans + (span)) * (value_dim + 2))

// One span of one tile for one KV head per work-group of PANEL_TOKENS work-items: group 0 counts tiles and spans,
// group 1 KV heads. Only rows from first_row on, end_row not included, get partials. Compiled for KV_TYPE.
// Memory, in floats: per tile vector head_dim + value_dim + PANEL_TOKENS + 4, and PANEL_TOKENS.
__kernel void attend_span(
    MATRIX(queries), KV_CACHE, BATCH, VECTOR(tiles), int tile_vectors, int heads, float scale, int window,
    float cap, int end_span, int spans, int first_row, int end_row, VECTOR(partials),
    __global int *status LOCAL_PARAMETER(memory)) {
  LOCAL_MEMORY(memory)
  int item = get_local_id(0);
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

  __local float *query = memory;                              // [tile_vectors][head_dim]
  __local float *sums = query + tile_vectors * head_dim;      // [tile_vectors][value_dim]
  __local float *weights = sums + tile_vectors * value_dim;   // [tile_vectors][PANEL_TOKENS]
  __local float *largest = weights + tile_vectors * PANEL_TOKENS;
  __local float *totals = largest + tile_vectors;
  __local float *factors = totals + tile_vectors;
  __local int *positions = (__local int *)(factors + tile_vectors);
  __local int *token_blocks = positions + tile_vectors;       // [PANEL_TOKENS]

  for (int v = item; v < vectors; v += PANEL_TOKENS) {
    int row = run_row + (first_vector + v) / group;
    int s = sequence_of_row(INTS(row_starts), sequences, row);
    positions[v] = INTS(contexts)[s] - (INTS(row_starts)[s + 1] - row);
    largest[v] = -INFINITY;
    totals[v] = 0.0f;
  }
  for (int i = item; i < vectors * value_dim; i += PANEL_TOKENS) {
    sums[i] = 0.0f;
  }
  for (int v = 0; v < vectors; v++) {
    int row = run_row + (first_vector + v) / group;
    int head = kv_head * group + (first_vector + v) % group;
    for (int i = item; i < head_dim; i += PANEL_TOKENS) {
      query[v * head_dim + i] = LOAD(queries, row, head * head_dim + i);
    }
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
  int low = first_seen > from ? first_seen : from;
  int high = last_seen + 1 < to ? last_seen + 1 : to;
  if (low >= high) {
    return;
  }

  const __global uchar *numbers = cache + cache_offset;
  for (int panel = low / PANEL_TOKENS * PANEL_TOKENS; panel < high; panel += PANEL_TOKENS) {
    int token = panel + item;
    int block = -1;
    if (token >= low && token < high) {
      block = INTS(table)[(ulong)sequence * max_blocks + token / block_tokens];
      if (block < 0 || block >= blocks) {
        fail(status, BLOCK_OUT_OF_RANGE, block, blocks, sequence);
        block = -1;
      }
    }
    token_blocks[item] = block;
    int in_block = token % block_tokens;
    for (int v = 0; v < vectors; v += 4) {
      float s0 = 0.0f;
      float s1 = 0.0f;
      float s2 = 0.0f;
      float s3 = 0.0f;
      // Vectors beyond the last repeat it.
      int v1 = v + 1 < vectors ? v + 1 : v;
      int v2 = v + 2 < vectors ? v + 2 : v;
      int v3 = v + 3 < vectors ? v + 3 : v;
      if (block >= 0) {
        ulong at = KEY_AT(block, kv_head, in_block, 0);
        for (int i = 0; i < head_dim; i++) {
          float key = load_number(numbers, at + (ulong)i * block_tokens, KV_TYPE);
          s0 = fma(query[v * head_dim + i], key, s0);
          s1 = fma(query[v1 * head_dim + i], key, s1);
          s2 = fma(query[v2 * head_dim + i], key, s2);
          s3 = fma(query[v3 * head_dim + i], key, s3);
        }
      }
      weights[v * PANEL_TOKENS + item] = s0;
      if (v1 > v) {
        weights[v1 * PANEL_TOKENS + item] = s1;
      }
      if (v2 > v) {
        weights[v2 * PANEL_TOKENS + item] = s2;
      }
      if (v3 > v) {
        weights[v3 * PANEL_TOKENS + item] = s3;
      }
    }
    for (int v = 0; v < vectors; v++) {
      float score = weights[v * PANEL_TOKENS + item] * scale;
      if (cap > 0.0f) {
        score = cap * tanh(score / cap);
      }
      int seen = block >= 0 && token <= positions[v] && token >= first_visible(positions[v], window);
      weights[v * PANEL_TOKENS + item] = seen ? score : -INFINITY;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int v = item; v < vectors; v += PANEL_TOKENS) {
      float most = largest[v];
      for (int t = 0; t < PANEL_TOKENS; t++) {
        most = fmax(most, weights[v * PANEL_TOKENS + t]);
      }
      factors[v] = most == -INFINITY ? 1.0f : exp(largest[v] - most);
      largest[v] = most;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int v = 0; v < vectors; v++) {
      float score = weights[v * PANEL_TOKENS + item];
      weights[v * PANEL_TOKENS + item] = score == -INFINITY ? 0.0f : exp(score - largest[v]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int v = item; v < vectors; v += PANEL_TOKENS) {
      float total = totals[v] * factors[v];
      for (int t = 0; t < PANEL_TOKENS; t++) {
        total += weights[v * PANEL_TOKENS + t];
      }
      totals[v] = total;
    }
    int first_token = low > panel ? low - panel : 0;
    int end_token = high - panel < PANEL_TOKENS ? high - panel : PANEL_TOKENS;
    for (int v = 0; v < vectors; v += 4) {
      int v1 = v + 1 < vectors ? v + 1 : v;
      int v2 = v + 2 < vectors ? v + 2 : v;
      int v3 = v + 3 < vectors ? v + 3 : v;
      for (int i = item; i < value_dim; i += PANEL_TOKENS) {
        float s0 = sums[v * value_dim + i] * factors[v];
        float s1 = sums[v1 * value_dim + i] * factors[v1];
        float s2 = sums[v2 * value_dim + i] * factors[v2];
        float s3 = sums[v3 * value_dim + i] * factors[v3];
        for (int t = first_token; t < end_token; t++) {
          int value_block = token_blocks[t];
          if (value_block >= 0) {
            float value =
                load_number(numbers, VALUE_AT(value_block, kv_head, (panel + t) % block_tokens, i), KV_TYPE);
            s0 = fma(weights[v * PANEL_TOKENS + t], value, s0);
            s1 = fma(weights[v1 * PANEL_TOKENS + t], value, s1);
            s2 = fma(weights[v2 * PANEL_TOKENS + t], value, s2);
            s3 = fma(weights[v3 * PANEL_TOKENS + t], value, s3);
          }
        }
        sums[v * value_dim + i] = s0;
        if (v1 > v) {
          sums[v1 * value_dim + i] = s1;
        }
        if (v2 > v) {
          sums[v2 * value_dim + i] = s2;
        }
        if (v3 > v) {
          sums[v3 * value_dim + i] = s3;
        }
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }

  for (int v = 0; v < vectors; v++) {
    int row = run_row + (first_vector + v) / group;
    int head = kv_head * group + (first_vector + v) % group;
    if (row >= first_row && row < end_row) {
      __global float *partial = PARTIAL(row, head, span);
      for (int i = item; i < value_dim; i += PANEL_TOKENS) {
        partial[i] = sums[v * value_dim + i];
      }
      if (item == 0) {
        partial[value_dim] = largest[v];
        partial[value_dim + 1] = totals[v];
      }
    }
  }
}

// Adds up the partials of one head (group 1) of one row (group 0, from first_row on).
__kernel void merge_spans(
    BATCH, VECTOR(tiles), int heads, int value_dim, int window, VECTOR(sinks), int spans, int first_row,
    VECTOR(partials), MATRIX(out)) {
  if (INTS(tiles)[0] == 0) {
    return;
  }
  int row = first_row + get_group_id(0);
  int head = get_group_id(1);
  int s = sequence_of_row(INTS(row_starts), sequences, row);
  int position = INTS(contexts)[s] - (INTS(row_starts)[s + 1] - row);
  int from = first_visible(position, window) / SPAN_TOKENS;
  int to = position / SPAN_TOKENS;
  float most = sinks ? FLOATS(sinks)[head] : -INFINITY;
  for (int span = from; span <= to; span++) {
    most = fmax(most, PARTIAL(row, head, span)[value_dim]);
  }
  float total = sinks ? exp(FLOATS(sinks)[head] - most) : 0.0f;
  for (int span = from; span <= to; span++) {
    const __global float *partial = PARTIAL(row, head, span);
    total = fma(exp(partial[value_dim] - most), partial[value_dim + 1], total);
  }
  for (int i = get_local_id(0); i < value_dim; i += get_local_size(0)) {
    float sum = 0.0f;
    for (int span = from; span <= to; span++) {
      const __global float *partial = PARTIAL(row, head, span);
      sum = fma(exp(partial[value_dim] - most), partial[i], sum);
    }
    STORE(out, row, head * value_dim + i, sum / total);
  }
}
