package dev.offload.backends.cpu;

import jdk.incubator.vector.FloatVector;

/** Rotary position embedding, in place. */
final class RopeKernel {
  private RopeKernel() {}

  static void rope(
      WorkerPool pool,
      MatrixRows x,
      int heads,
      int dimensions,
      boolean interleaved,
      MatrixRows cosSin) {
    int width = x.columns() / heads;
    RowLoop.run(
        pool,
        x.rows(),
        x.columns(),
        (first, end) -> {
          float[] row = new float[x.columns()];
          float[] factors = new float[dimensions];
          for (int i = first; i < end; i++) {
            x.load(i, row);
            cosSin.load(i, factors);
            for (int h = 0; h < heads; h++) {
              if (interleaved) {
                rotateInterleaved(row, h * width, factors);
              } else {
                rotateHalves(row, h * width, factors);
              }
            }
            x.store(row, i);
          }
        });
  }

  private static void rotateHalves(float[] row, int at, float[] factors) {
    int half = factors.length / 2;
    int i = 0;
    for (int end = Lanes.FLOATS.loopBound(half); i < end; i += Lanes.COUNT) {
      FloatVector a = FloatVector.fromArray(Lanes.FLOATS, row, at + i);
      FloatVector b = FloatVector.fromArray(Lanes.FLOATS, row, at + half + i);
      FloatVector cos = FloatVector.fromArray(Lanes.FLOATS, factors, i);
      FloatVector sin = FloatVector.fromArray(Lanes.FLOATS, factors, half + i);
      a.mul(cos).sub(b.mul(sin)).intoArray(row, at + i);
      b.mul(cos).add(a.mul(sin)).intoArray(row, at + half + i);
    }
    for (; i < half; i++) {
      rotate(row, at + i, at + half + i, factors[i], factors[half + i]);
    }
  }

  private static void rotateInterleaved(float[] row, int at, float[] factors) {
    int half = factors.length / 2;
    for (int i = 0; i < half; i++) {
      rotate(row, at + 2 * i, at + 2 * i + 1, factors[i], factors[half + i]);
    }
  }

  private static void rotate(float[] row, int first, int second, float cos, float sin) {
    float a = row[first];
    float b = row[second];
    row[first] = a * cos - b * sin;
    row[second] = b * cos + a * sin;
  }
}
