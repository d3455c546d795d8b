// Rotates the pairs of all heads of a row.
FUNCTION void rotate_row(
    MATRIX(x), int row, int heads, int width, int dimensions, int interleaved, MATRIX(factors)) {
  int pairs = dimensions / 2;
  for (int p = get_local_id(0); p < heads * pairs; p += get_local_size(0)) {
    int i = p % pairs;
    int head = (p / pairs) * width;
    int first = head + (interleaved ? 2 * i : i);
    int second = head + (interleaved ? 2 * i + 1 : i + pairs);
    float a = LOAD(x, row, first);
    float b = LOAD(x, row, second);
    float c = LOAD(factors, row, i);
    float s = LOAD(factors, row, pairs + i);
    STORE(x, row, first, a * c - b * s);
    STORE(x, row, second, b * c + a * s);
  }
}

// Writes the keys and values of a row, which is a token.
FUNCTION void append_row(
    MATRIX(keys), MATRIX(values), int row, VECTOR(slots), KV_CACHE, int cache_type, __global int *status) {
  int slot = INTS(slots)[row];
  if (slot < 0 || slot / block_tokens >= blocks) {
    if (get_local_id(0) == 0) {
      fail(status, BLOCK_OUT_OF_RANGE, slot < 0 ? -1 : slot / block_tokens, blocks, row);
    }
    return;
  }
  int block = slot / block_tokens;
  int token = slot % block_tokens;
  for (int i = get_local_id(0); i < kv_heads * head_dim; i += get_local_size(0)) {
    store_number(
        cache + cache_offset, KEY_AT(block, i / head_dim, token, i % head_dim), cache_type, LOAD(keys, row, i));
  }
  if (!values_in_keys) {
    for (int i = get_local_id(0); i < kv_heads * value_dim; i += get_local_size(0)) {
      store_number(
          cache + cache_offset, VALUE_AT(block, i / value_dim, token, i % value_dim), cache_type,
          LOAD(values, row, i));
    }
  }
}

// A work-group for each row.
__kernel void rope(MATRIX(x), int heads, int width, int dimensions, int interleaved, MATRIX(factors)) {
  rotate_row(
      x, x_offset, x_type, x_stride, get_group_id(0), heads, width, dimensions, interleaved, factors,
      factors_offset, factors_type, factors_stride);
}

__kernel void append_kv(
    MATRIX(keys), MATRIX(values), VECTOR(slots), KV_CACHE, int cache_type, __global int *status) {
  append_row(
      keys, keys_offset, keys_type, keys_stride, values, values_offset, values_type, values_stride,
      get_group_id(0), slots, slots_offset, cache, cache_offset, blocks, block_tokens, kv_heads, head_dim,
      value_dim, values_in_keys, cache_type, status);
}

// Both; keys are columns of x.
__kernel void rotate_and_append(
    MATRIX(x), int heads, int width, int dimensions, int interleaved, MATRIX(factors), MATRIX(keys),
    MATRIX(values), VECTOR(slots), KV_CACHE, int cache_type, __global int *status) {
  rotate_row(
      x, x_offset, x_type, x_stride, get_group_id(0), heads, width, dimensions, interleaved, factors,
      factors_offset, factors_type, factors_stride);
  barrier(CLK_GLOBAL_MEM_FENCE);
  append_row(
      keys, keys_offset, keys_type, keys_stride, values, values_offset, values_type, values_stride,
      get_group_id(0), slots, slots_offset, cache, cache_offset, blocks, block_tokens, kv_heads, head_dim,
      value_dim, values_in_keys, cache_type, status);
}
