// Attention over paged keys and values, split over their length. A span of SPAN_TOKENS positions gives every query
// vector a partial result: the largest score, the sum of the weights, the weighted sum of the values. merge adds the
// partials up, spans ascending. How a span is computed does not depend on which query vectors share a work-group,
// so a row gets the same result in any company.
//
// Compiled for KV_TYPE, and for a kind of device: a work-item computes ITEM_VECTORS query vectors times ITEM_OCTETS
// times eight tokens or columns at a time, with the values of CHUNK_TOKENS before the next columns, STRIPES work-items
// share the scores of a query vector, and MERGE_OCTETS times eight columns are merged at a time.
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
// there are no tiles. Unless something is shared, first_spans holds nothing.
__kernel void plan_tiles(
    BATCH, int shared, int tokens, int longest_context, int block_tokens, int group, int tile_vectors,
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
      tile[4] = shared ? INTS(first_spans)[s] : 0;
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

// The first count of eight floats, at least none.
FUNCTION floats8 load_some8(const __global float *from, int count) {
  if (count >= 8) {
    return vload8(0, from);
  }
  float numbers[8];
  for (int j = 0; j < 8; j++) {
    numbers[j] = j < count ? from[j] : 0.0f;
  }
  return vload8(0, numbers);
}

FUNCTION void store_some8(floats8 x, __global float *to, int count) {
  if (count >= 8) {
    vstore8(x, 0, to);
    return;
  }
  float numbers[8];
  vstore8(x, 0, numbers);
  for (int j = 0; j < count; j++) {
    to[j] = numbers[j];
  }
}

// Adds up the partials of one head of one row, which begin at those of span 0.
FUNCTION void merge_head(
    const __global float *partials, int value_dim, int window, int position, VECTOR(sinks), int row, int head,
    MATRIX(out)) {
  int from = first_visible(position, window) / SPAN_TOKENS;
  int to = position / SPAN_TOKENS;
  float most = sinks ? FLOATS(sinks)[head] : -INFINITY;
  for (int span = from; span <= to; span++) {
    most = fmax(most, partials[(ulong)span * (value_dim + 2) + value_dim]);
  }
  for (int column = get_local_id(0) * MERGE_OCTETS * 8; column < value_dim;
       column += get_local_size(0) * MERGE_OCTETS * 8) {
    float total = sinks ? exp(FLOATS(sinks)[head] - most) : 0.0f;
    floats8 sums[MERGE_OCTETS];
#pragma unroll
    for (int o = 0; o < MERGE_OCTETS; o++) {
      sums[o] = zero8();
    }
    for (int span = from; span <= to; span++) {
      const __global float *partial = partials + (ulong)span * (value_dim + 2);
      float factor = exp(partial[value_dim] - most);
      total = fma(factor, partial[value_dim + 1], total);
#pragma unroll
      for (int o = 0; o < MERGE_OCTETS; o++) {
        int count = value_dim - (column + o * 8);
        sums[o] = fma8(splat8(factor), load_some8(partial + column + o * 8, count), sums[o]);
      }
    }
#pragma unroll
    for (int o = 0; o < MERGE_OCTETS; o++) {
      float numbers[8];
      vstore8(sums[o] / splat8(total), 0, numbers);
      for (int j = 0; j < 8 && column + o * 8 + j < value_dim; j++) {
        STORE(out, row, head * value_dim + column + o * 8 + j, numbers[j]);
      }
    }
  }
}

// Where the eight tokens from octet * 8 of the span on lie, one number of their keys, and eight columns of a value. A
// run of tokens lies in one block. If OCTETS, eight tokens and eight columns are always there and lie together.
#if OCTETS
#define PLACE(octet)                                                                                         \
  KEY_AT(                                                                                                    \
      run_blocks[(octet) * 8 >> run_shift], kv_head,                                                         \
      run_slots[(octet) * 8 >> run_shift] + ((octet) * 8 & (run_tokens - 1)), 0)
#define LOAD_KEYS(place, i) load8(numbers, (place) + (ulong)(i)*block_tokens, KV_TYPE)
#define LOAD_VALUES(at, column)                                                                              \
  load8(numbers, (at) + ((column) + 8 <= value_dim ? (column) : value_dim - 8), KV_TYPE)
#else
#define PLACE(octet) ((octet) * 8)
#define LOAD_KEYS(place, i)                                                                                  \
  gather_keys(                                                                                               \
      numbers, run_blocks, run_slots, run_shift, place, i, kv_head, kv_heads, block_tokens, head_dim,       \
      value_dim, values_in_keys)
#define LOAD_VALUES(at, column)                                                                              \
  gather8(numbers, (at), column, value_dim - (column), VALUES_IN_KEYS ? block_tokens : 1)

FUNCTION floats8 gather_keys(
    const __global uchar *numbers, const __local int *run_blocks, const __local int *run_slots, int run_shift,
    int first, int i, int kv_head, int kv_heads, int block_tokens, int head_dim, int value_dim,
    int values_in_keys) {
  float keys[8];
  for (int j = 0; j < 8; j++) {
    int run = (first + j) >> run_shift;
    int slot = run_slots[run] + ((first + j) & ((1 << run_shift) - 1));
    keys[j] = load_number(numbers, KEY_AT(run_blocks[run], kv_head, slot, i), KV_TYPE);
  }
  return vload8(0, keys);
}

FUNCTION floats8 gather8(const __global uchar *numbers, ulong at, int column, int count, int step) {
  float values[8];
  for (int j = 0; j < 8; j++) {
    values[j] = j < count ? load_number(numbers, at + (ulong)(column + j) * step, KV_TYPE) : 0.0f;
  }
  return vload8(0, values);
}
#endif

// group_spans spans of one tile for one KV head per work-group, one after the other: group 0 counts tiles and as many
// spans, group 1 KV heads. Only rows from first_row on, end_row not included, get partials, and are merged right away
// if a work-group has all spans. The tokens of the values are summed in parts, and these one after the other. Local
// memory is laid out below.
__kernel void attend_span(
    MATRIX(queries), KV_CACHE, BATCH, VECTOR(tiles), int tile_vectors, int heads, float scale, int window,
    float cap, int end_span, int spans, int first_row, int end_row, int run_shift, int group_spans, int merges,
    VECTOR(sinks), MATRIX(out), int parts, VECTOR(partials), __global int *status LOCAL_PARAMETER(memory)) {
  LOCAL_MEMORY(memory)
  int run_tokens = 1 << run_shift;
  int item = get_local_id(0);
  int items = get_local_size(0);
  int tile_groups = (end_span + group_spans - 1) / group_spans;
  int tile_number = get_group_id(0) / tile_groups;
  int first_span = get_group_id(0) % tile_groups * group_spans;
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
  if (tile_last_row < first_row || tile_first_row >= end_row) {
    return;
  }

  int item_columns = OCTETS && VALUES_IN_KEYS ? ITEM_OCTETS : ITEM_OCTETS * 8;
  int column_items = (value_dim + item_columns - 1) / item_columns;
  int part_columns = column_items * item_columns;
  __local float *query = memory;                                           // [tile_vectors][head_dim]
  __local float *weights = query + tile_vectors * head_dim;                // [tile_vectors][SPAN_TOKENS]
  __local float *stripes = weights + tile_vectors * SPAN_TOKENS;           // [tile_vectors][STRIPES]
  __local float *largest = stripes + tile_vectors * STRIPES;               // [tile_vectors]
  __local int *positions = (__local int *)(largest + tile_vectors);        // [tile_vectors]
  __local int *run_blocks = positions + tile_vectors;                      // [SPAN_TOKENS >> run_shift]
  __local int *run_slots = run_blocks + (SPAN_TOKENS >> run_shift);          // [SPAN_TOKENS >> run_shift]
  __local float *sums = (__local float *)(run_slots + (SPAN_TOKENS >> run_shift));  // [parts][ITEM_VECTORS][part_columns]

  for (int v = item; v < vectors; v += items) {
    int row = run_row + (first_vector + v) / group;
    int s = sequence_of_row(INTS(row_starts), sequences, row);
    positions[v] = INTS(contexts)[s] - (INTS(row_starts)[s + 1] - row);
  }
  int query_items = (head_dim + 7) / 8;
  int vector_items = items < query_items ? items : query_items;
  int beside = items / vector_items;
  for (int v = item / vector_items < beside ? item / vector_items : vectors; v < vectors; v += beside) {
    int row = run_row + (first_vector + v) / group;
    int column = (kv_head * group + (first_vector + v) % group) * head_dim;
    for (int i = item % vector_items * 8; i < head_dim; i += vector_items * 8) {
      if (i + 8 <= head_dim) {
        vstore8(
            load8(queries + queries_offset, (ulong)row * queries_stride + column + i, queries_type), 0,
            query + v * head_dim + i);
      } else {
        for (int j = 0; i + j < head_dim; j++) {
          query[v * head_dim + i + j] = LOAD(queries, row, column + i + j);
        }
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);

  // The tokens that any vector sees; of those none is missing in the cache.
  int first_seen = positions[0];
  int last_seen = positions[0];
  for (int v = 0; v < vectors; v++) {
    int seen = first_visible(positions[v], window);
    first_seen = seen < first_seen ? seen : first_seen;
    last_seen = positions[v] > last_seen ? positions[v] : last_seen;
  }
  int last_span = first_span + group_spans < end_span ? first_span + group_spans - 1 : end_span - 1;
  last_span = last_seen / SPAN_TOKENS < last_span ? last_seen / SPAN_TOKENS : last_span;
  first_span = tile[4] > first_span ? tile[4] : first_span;
  first_span = first_seen / SPAN_TOKENS > first_span ? first_seen / SPAN_TOKENS : first_span;

  for (int span = first_span; span <= last_span; span++) {
    int from = span * SPAN_TOKENS;
    int to = from + SPAN_TOKENS;
    int low = first_seen > from ? first_seen : from;
    int high = last_seen + 1 < to ? last_seen + 1 : to;
    for (int n = item; n < SPAN_TOKENS >> run_shift; n += items) {
      // What nobody sees is taken from block 0, and counts nothing.
      int block = 0;
      int token = from + (n << run_shift);
      if (token < high && token + run_tokens > low) {
        block = INTS(table)[(ulong)sequence * max_blocks + token / block_tokens];
        if (block < 0 || block >= blocks) {
          fail(status, BLOCK_OUT_OF_RANGE, block, blocks, sequence);
          block = 0;
        }
      }
      run_blocks[n] = block;
      run_slots[n] = token % block_tokens;
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    // Where this work-group or else the next most likely goes on to read. Nothing follows from it but what is asked for
    // early.
    int next_group = get_group_id(0) + 1;
    int next_tile = span < last_span ? tile_number : next_group / tile_groups;
    int next_from = (span < last_span ? span + 1 : next_group % tile_groups * group_spans) * SPAN_TOKENS;
    int next_block = 0;
    if (next_tile < INTS(tiles)[0]) {
      int next_sequence = INTS(tiles)[1 + (ulong)next_tile * TILE_INTS + 3];
      if (next_from < INTS(contexts)[next_sequence]) {
        next_block = INTS(table)[(ulong)next_sequence * max_blocks + next_from / block_tokens];
      }
    }
    ulong next_keys = KEY_AT(next_block, kv_head, next_from % block_tokens, 0);

    // Products of queries and keys.
    const __global uchar *numbers = cache + cache_offset;
    int first_run = (low - from) >> run_shift;
    int first_octets = (low - from) / (8 * ITEM_OCTETS);
    int token_items = (high - from + 8 * ITEM_OCTETS - 1) / (8 * ITEM_OCTETS) - first_octets;
    for (int n = item; n < (vectors + ITEM_VECTORS - 1) / ITEM_VECTORS * token_items; n += items) {
      int octet = (first_octets + n % token_items) * ITEM_OCTETS;
      int v = n / token_items * ITEM_VECTORS;
      int query_at[ITEM_VECTORS];
      ulong place[ITEM_OCTETS];
      floats8 products[ITEM_VECTORS][ITEM_OCTETS];
#pragma unroll
      for (int r = 0; r < ITEM_VECTORS; r++) {
        // Vectors beyond the last repeat it.
        query_at[r] = (v + r < vectors ? v + r : vectors - 1) * head_dim;
#pragma unroll
        for (int o = 0; o < ITEM_OCTETS; o++) {
          products[r][o] = zero8();
        }
      }
#pragma unroll
      for (int o = 0; o < ITEM_OCTETS; o++) {
        place[o] = PLACE(octet + o);
      }
      // What comes next lies in one piece: the keys of the next run, or the first values.
      int next_run = (octet * 8 >> run_shift) + 1;
      ulong next = next_run << run_shift < high - from
          ? KEY_AT(run_blocks[next_run], kv_head, run_slots[next_run], 0)
          : VALUE_AT(run_blocks[first_run], kv_head, run_slots[first_run], 0);
      next += (octet * 8 & (run_tokens - 1)) * head_dim;
      for (int i = 0; i < head_dim; i++) {
        floats8 keys[ITEM_OCTETS];
        fetch_early(numbers, next + i * ITEM_OCTETS * 8, KV_TYPE);
#pragma unroll
        for (int o = 0; o < ITEM_OCTETS; o++) {
          keys[o] = LOAD_KEYS(place[o], i);
        }
#pragma unroll
        for (int r = 0; r < ITEM_VECTORS; r++) {
          floats8 q = splat8(query[query_at[r] + i]);
#pragma unroll
          for (int o = 0; o < ITEM_OCTETS; o++) {
            products[r][o] = fma8(q, keys[o], products[r][o]);
          }
        }
      }
#pragma unroll
      for (int r = 0; r < ITEM_VECTORS; r++) {
#pragma unroll
        for (int o = 0; o < ITEM_OCTETS; o++) {
          if (v + r < vectors) {
            vstore8(products[r][o], octet + o, weights + (v + r) * SPAN_TOKENS);
          }
        }
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    // Scores, of which a vector's largest is known to no work-item alone.
    // Which octets a stripe has does not depend on which tokens are seen.
#define FIRST_OF_STRIPE(n) (first_octet + (((n) - first_octet) % STRIPES + STRIPES) % STRIPES)
    int first_octet = (low - from) / 8;
    int end_octet = (high - from + 7) / 8;
    for (int n = item; n < vectors * STRIPES; n += items) {
      int v = n / STRIPES;
      __local float *scores = weights + v * SPAN_TOKENS;
      int first = first_visible(positions[v], window) - from;
      int last = positions[v] - from;
      floats8 most = splat8(-INFINITY);
      for (int octet = FIRST_OF_STRIPE(n); octet < end_octet; octet += STRIPES) {
        floats8 score = vload8(octet, scores) * splat8(scale);
        if (cap > 0.0f) {
          score = tanh8(score / splat8(cap)) * splat8(cap);
        }
        score = within8(score, splat8(-INFINITY), first - octet * 8, last - octet * 8);
        vstore8(score, octet, scores);
        most = max8(most, score);
      }
      stripes[n] = largest8(most);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int v = item; v < vectors; v += items) {
      float most = stripes[v * STRIPES];
      for (int n = 1; n < STRIPES; n++) {
        most = fmax(most, stripes[v * STRIPES + n]);
      }
      largest[v] = most;
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    // Weights.
    for (int n = item; n < vectors * STRIPES; n += items) {
      int v = n / STRIPES;
      floats8 most = splat8(largest[v] == -INFINITY ? 0.0f : largest[v]);
      floats8 total = zero8();
      for (int octet = FIRST_OF_STRIPE(n); octet < end_octet; octet += STRIPES) {
        floats8 weight = exp8(vload8(octet, weights + v * SPAN_TOKENS) - most);
        vstore8(weight, octet, weights + v * SPAN_TOKENS);
        total = total + weight;
      }
      stripes[n] = sum8(total);
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    // Sums of values.
    int part_tokens = SPAN_TOKENS / parts;
    int chunk_tokens = CHUNK_TOKENS < part_tokens ? CHUNK_TOKENS : part_tokens;
    for (int v = 0; v < vectors; v += ITEM_VECTORS) {
      for (int first = 0; first < part_tokens; first += chunk_tokens) {
        for (int n = item; n < parts * column_items; n += items) {
          int column = n % column_items * item_columns;
          int start = n / column_items * part_tokens + first;
          int end = start + chunk_tokens < high - from ? start + chunk_tokens : high - from;
          start = start > low - from ? start : low - from;
          __local float *part = sums + n / column_items * ITEM_VECTORS * part_columns + column;
          int weights_at[ITEM_VECTORS];
          floats8 totals[ITEM_VECTORS][ITEM_OCTETS];
#pragma unroll
          for (int r = 0; r < ITEM_VECTORS; r++) {
            weights_at[r] = (v + r < vectors ? v + r : vectors - 1) * SPAN_TOKENS;
#pragma unroll
            for (int o = 0; o < ITEM_OCTETS; o++) {
              totals[r][o] = first == 0 ? zero8() : vload8(o, part + r * part_columns);
            }
          }
#if OCTETS && VALUES_IN_KEYS
          // Eight tokens of a column lie together.
          for (int octet = start / 8; octet * 8 < end; octet++) {
            ulong place = PLACE(octet);
#pragma unroll
            for (int o = 0; o < ITEM_OCTETS; o++) {
              // Nothing is known of tokens that nobody sees.
              floats8 values = within8(LOAD_KEYS(place, column + o), zero8(), start - octet * 8, end - 1 - octet * 8);
#pragma unroll
              for (int r = 0; r < ITEM_VECTORS; r++) {
                totals[r][o] = fma8(vload8(octet, weights + weights_at[r]), values, totals[r][o]);
              }
            }
          }
#pragma unroll
          for (int r = 0; r < ITEM_VECTORS; r++) {
#pragma unroll
            for (int o = 0; o < ITEM_OCTETS; o++) {
              part[r * part_columns + o] = sum8(totals[r][o]);
            }
          }
#else
          while (start < end) {
            int run = start >> run_shift;
            int in_run = start & (run_tokens - 1);
            int run_end = (run + 1) << run_shift < end ? (run + 1) << run_shift : end;
            ulong at = VALUE_AT(run_blocks[run], kv_head, run_slots[run] + in_run, 0);
            ulong next = (run + 1) << run_shift < high - from
                ? VALUE_AT(run_blocks[run + 1], kv_head, run_slots[run + 1], 0)
                : next_keys;
            next += column * run_tokens + in_run * item_columns;
            for (; start < run_end; start++) {
              fetch_early(numbers, next, KV_TYPE);
              next += item_columns;
              floats8 values[ITEM_OCTETS];
#pragma unroll
              for (int o = 0; o < ITEM_OCTETS; o++) {
                values[o] = LOAD_VALUES(at, column + o * 8);
              }
#pragma unroll
              for (int r = 0; r < ITEM_VECTORS; r++) {
                floats8 weight = splat8(weights[weights_at[r] + start]);
#pragma unroll
                for (int o = 0; o < ITEM_OCTETS; o++) {
                  totals[r][o] = fma8(weight, values[o], totals[r][o]);
                }
              }
              at += VALUES_IN_KEYS ? 1 : value_dim;
            }
          }
#pragma unroll
          for (int r = 0; r < ITEM_VECTORS; r++) {
#pragma unroll
            for (int o = 0; o < ITEM_OCTETS; o++) {
              vstore8(totals[r][o], o, part + r * part_columns);
            }
          }
#endif
        }
      }
      barrier(CLK_LOCAL_MEM_FENCE);
      for (int r = 0; r < ITEM_VECTORS && v + r < vectors; r++) {
        int row = run_row + (first_vector + v + r) / group;
        int head = kv_head * group + (first_vector + v + r) % group;
        if (row >= first_row && row < end_row) {
          __global float *partial = PARTIAL(row, head, span);
          for (int column = item * 8; column < value_dim; column += items * 8) {
            __local float *part = sums + r * part_columns + column;
            floats8 sum = vload8(0, part);
            for (int p = 1; p < parts; p++) {
              sum = sum + vload8(0, part + p * ITEM_VECTORS * part_columns);
            }
            store_some8(sum, partial + column, value_dim - column);
          }
          if (item == 0) {
            float total = 0.0f;
            for (int n = 0; n < STRIPES; n++) {
              total += stripes[(v + r) * STRIPES + n];
            }
            partial[value_dim] = largest[v + r];
            partial[value_dim + 1] = total;
          }
        }
      }
      barrier(CLK_LOCAL_MEM_FENCE);
    }
  }
  barrier(CLK_GLOBAL_MEM_FENCE);
  if (merges) {
    for (int v = 0; v < vectors; v++) {
      int row = run_row + (first_vector + v) / group;
      if (row >= first_row && row < end_row) {
        int head = kv_head * group + (first_vector + v) % group;
        merge_head(
            PARTIAL(row, head, 0), value_dim, window, positions[v], sinks, sinks_offset, row, head, out, out_offset,
            out_type, out_stride);
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
  merge_head(
      PARTIAL(row, head, 0), value_dim, window, position, sinks, sinks_offset, row, head, out, out_offset, out_type,
      out_stride);
}
