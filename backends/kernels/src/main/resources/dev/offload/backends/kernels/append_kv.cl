// Writes the keys and values of one token per work-group.
__kernel void append_kv(
    MATRIX(keys), MATRIX(values), VECTOR(slots), KV_CACHE, int cache_type, __global int *status) {
  int row = get_group_id(0);
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
