// Parameters of a cache, and where its numbers lie. A block holds for each head the keys, [head_dim][block_tokens],
// so that work-items with a token each read side by side, then the values, [block_tokens][value_dim], unless these
// are the first numbers of the keys.
#define KV_CACHE                                                                                             \
  __global uchar *cache, ulong cache_offset, int blocks, int block_tokens, int kv_heads, int head_dim,       \
      int value_dim, int values_in_keys

// Number of the first key number of a head of a block.
#define HEAD_START(block, head)                                                                              \
  (((ulong)(block)*kv_heads + (head)) * block_tokens * (head_dim + (values_in_keys ? 0 : value_dim)))
#define KEY_AT(block, head, token, i) (HEAD_START(block, head) + (ulong)(i)*block_tokens + (token))
#define VALUE_AT(block, head, token, i)                                                                      \
  (values_in_keys                                                                                            \
       ? KEY_AT(block, head, token, i)                                                                       \
       : HEAD_START(block, head) + (ulong)head_dim * block_tokens + (ulong)(token)*value_dim + (i))
