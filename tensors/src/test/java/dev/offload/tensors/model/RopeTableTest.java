package dev.offload.tensors.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Expected numbers were computed apart from this code, from the published formulas. */
class RopeTableTest {
  private static final Rope.Scaling LONGROPE =
      new Rope.Longrope(
          List.of(1.0, 1.1, 1.4, 1.9),
          List.of(1.0, 1.5, 4.0, 9.0),
          100,
          Math.sqrt(1 + Math.log(4) / Math.log(100)));

  /** Angles near 100 have steps of 8e-6 in binary32; frequencies may differ in the last bit. */
  private static final float TOLERANCE = 4e-6f;

  @Test
  void shouldLeaveFrequenciesAlone() {
    check(
        rope(8, 10_000, new Rope.None()),
        17,
        17,
        -0.27516334f,
        -0.12884454f,
        0.98558477f,
        0.9998555f,
        -0.96139749f,
        0.9916648f,
        0.16918235f,
        0.016999182f);
  }

  @Test
  void shouldDivideAllFrequencies() {
    check(
        rope(8, 10_000, new Rope.Linear(4)),
        17,
        17,
        -0.44608749f,
        0.91103873f,
        0.99909701f,
        0.99999097f,
        -0.89498936f,
        0.41232079f,
        0.042487207f,
        0.0042499874f);
  }

  @Test
  void shouldNotScaleDynamicallyWithinTheOriginalContext() {
    check(
        rope(8, 5_000, new Rope.Dynamic(4, 72)),
        50,
        72,
        0.96496603f,
        0.94370146f,
        0.76024457f,
        0.99646655f,
        -0.26237485f,
        -0.33079837f,
        0.64963698f,
        0.083990579f);
  }

  @Test
  void shouldTakeTheDynamicBaseFromTheLength() {
    check(
        rope(8, 5_000, new Rope.Dynamic(4, 72)),
        130,
        131,
        -0.36729133f,
        -0.99513484f,
        0.76634505f,
        0.99869422f,
        -0.93010595f,
        -0.09852234f,
        0.64242919f,
        0.051086783f);
  }

  @Test
  void shouldScaleLowFrequenciesOfLlama3() {
    check(
        rope(16, 500_000, new Rope.Llama3(8, 1, 4, 64)),
        99,
        100,
        0.03982088f,
        -0.0069172824f,
        0.89365352f,
        0.99593053f,
        0.99984686f,
        0.99999424f,
        0.99999978f,
        0.99999999f,
        -0.99920683f,
        0.99997608f,
        0.44875761f,
        0.090124277f,
        0.017499999f,
        0.0033938149f,
        0.00065813913f,
        0.00012762814f);
  }

  @Test
  void shouldBlendFrequenciesOfYarn() {
    check(
        rope(24, 10_000, new Rope.Yarn(4, 64, 4, 0.25, 0.1 * Math.log(4) + 1, true)),
        99,
        100,
        0.045341227f,
        -0.4419716f,
        0.058014569f,
        1.1334209f,
        -0.48456666f,
        0.98055748f,
        1.103933f,
        1.1311243f,
        1.1370111f,
        1.1382807f,
        1.1385543f,
        1.1386132f,
        -1.1377263f,
        1.0493513f,
        -1.1371505f,
        -0.10878393f,
        1.0303748f,
        0.57877804f,
        0.27894246f,
        0.13051746f,
        0.060685531f,
        0.028178203f,
        0.013080211f,
        0.0060714001f);
  }

  @Test
  void shouldBlendFrequenciesOfYarnWithoutRounding() {
    check(
        rope(16, 150_000, new Rope.Yarn(8, 64, 32, 1, 0.1 * Math.log(8) + 1, false)),
        99,
        100,
        0.0481014f,
        -1.1314483f,
        0.97689524f,
        1.1958295f,
        1.2073276f,
        1.2079128f,
        1.2079426f,
        1.2079441f,
        -1.2069861f,
        -0.42302923f,
        0.71049614f,
        0.17064854f,
        0.038589801f,
        0.008700241f,
        0.001961207f,
        0.00044209155f);
  }

  @Test
  void shouldTakeShortFactorsWithinTheOriginalContext() {
    check(
        rope(8, 10_000, LONGROPE),
        60,
        100,
        -1.086348f,
        0.77092569f,
        1.0374691f,
        1.1400583f,
        -0.34767523f,
        -0.84065663f,
        0.47401249f,
        0.036013814f);
  }

  @Test
  void shouldTakeLongFactorsBeyondTheOriginalContext() {
    check(
        rope(8, 10_000, LONGROPE),
        60,
        101,
        -1.086348f,
        -0.74556357f,
        1.127819f,
        1.1406017f,
        -0.34767523f,
        -0.86322937f,
        0.17045316f,
        0.007604124f);
  }

  @Test
  void shouldGiveTheSameRowsHoweverFarOut() {
    RopeTable table = new RopeTable(rope(64, 10_000, new Rope.None()));
    for (int position : new int[] {0, 1, 255, 256, 4097, 32_767, 32_768, 1_000_000}) {
      float[] row = row(table, position, position + 1);
      for (int i = 0; i < 32; i++) {
        float angle = position * (1f / (float) Math.pow(10_000, i / 32f));
        assertEquals((float) Math.cos(angle), row[i], TOLERANCE);
        assertEquals((float) Math.sin(angle), row[32 + i], TOLERANCE);
      }
      assertArrayEquals(row, row(table, position, position + 1));
    }
  }

  @Test
  void shouldSayWhatDependsOnTheLength() {
    RopeTable linear = new RopeTable(rope(8, 10_000, new Rope.Linear(4)));
    assertEquals(Integer.MAX_VALUE, linear.mostTokensOfEqualRows());
    RopeTable longrope = new RopeTable(rope(8, 10_000, LONGROPE));
    assertEquals(((Rope.Longrope) LONGROPE).originalContext(), longrope.mostTokensOfEqualRows());
    RopeTable dynamic = new RopeTable(rope(8, 10_000, new Rope.Dynamic(2, 10)));
    assertEquals(10, dynamic.mostTokensOfEqualRows());
    assertThrows(IllegalArgumentException.class, () -> new RopeTable(Rope.NONE));
  }

  @Test
  void shouldWriteAtTheOffsetOnly() {
    float[] numbers = new float[12];
    Arrays.fill(numbers, 7);
    new RopeTable(rope(8, 10_000, new Rope.None()))
        .write(0, 1, MemorySegment.ofArray(numbers), 2 * Float.BYTES);
    assertArrayEquals(new float[] {7, 7, 1, 1, 1, 1, 0, 0, 0, 0, 7, 7}, numbers);
  }

  private static Rope rope(int dimensions, double base, Rope.Scaling scaling) {
    return new Rope(dimensions, base, false, scaling);
  }

  private static void check(Rope rope, int position, int sequenceLength, float... expected) {
    assertArrayEquals(expected, row(new RopeTable(rope), position, sequenceLength), TOLERANCE);
  }

  private static float[] row(RopeTable table, int position, int sequenceLength) {
    float[] row = new float[table.dimensions()];
    table.write(position, sequenceLength, MemorySegment.ofArray(row), 0);
    return row;
  }
}
