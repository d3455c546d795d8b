package dev.offload.backends.cpu;

/** Writes new keys and values into their blocks. */
final class KvAppendKernel {
  private KvAppendKernel() {}

  static void append(
      WorkerPool pool, MatrixRows keys, MatrixRows values, int[] slots, KvCache cache) {
    KvBlockLayout layout = cache.layout();
    RowLoop.run(
        pool,
        slots.length,
        keys.columns() + values.columns(),
        (first, end) -> {
          float[] key = new float[keys.columns()];
          float[] value = new float[values.columns()];
          for (int row = first; row < end; row++) {
            keys.load(row, key);
            if (!layout.valuesInKeys()) {
              values.load(row, value);
            }
            long block = cache.blockOffset(Math.floorDiv(slots[row], layout.blockTokens()));
            write(key, value, cache, block, slots[row] % layout.blockTokens());
          }
        });
  }

  private static void write(float[] key, float[] value, KvCache cache, long block, int token) {
    KvBlockLayout layout = cache.layout();
    for (int head = 0; head < layout.heads(); head++) {
      RowCodec.scatter(
          key,
          head * layout.headDim(),
          cache.segment(),
          block + layout.keyOffset(head, token),
          layout.dtype(),
          layout.keyStrideBytes(),
          layout.headDim());
      if (!layout.valuesInKeys()) {
        RowCodec.store(
            value,
            head * layout.valueDim(),
            cache.segment(),
            block + layout.valueOffset(head, token),
            layout.dtype(),
            layout.valueDim());
      }
    }
  }
}
