package dev.offload.planner.profile;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.offload.planner.hardware.HardwareProfile.CopyRate;
import java.util.List;
import org.junit.jupiter.api.Test;

final class CopyProbeTest {
  @Test
  void shouldKeepWhatWasMeasured() {
    CopyRate rate =
        CopyProbe.rate(
            List.of(1000L, 3000L), List.of(2e-6, 4e-6), List.of(0.5, 1.5), List.of(1.0, 0.5));
    assertEquals(2e-6, rate.seconds(1000, 1), 1e-15);
    assertEquals(3e-6, rate.seconds(2000, 1), 1e-15, "half way");
    assertEquals(3 * 4e-6, rate.seconds(9000, 3), 1e-15, "three pieces");
    assertEquals(8e-6, rate.seconds(6000, 1), 1e-15, "in proportion to the largest");
    assertEquals(1.5e-6, rate.seconds(500, 1), 1e-15, "latency, and half of the rest");
    assertEquals(1, rate.cores(2000, 1).orElseThrow(), 1e-12);
    assertEquals(1.5, rate.cores(1e9, 1).orElseThrow(), 1e-12);
    assertEquals(0.5, rate.cores(10, 1).orElseThrow(), 1e-12);
    assertEquals(0.75, rate.kept(2000), 1e-12);
    assertEquals(0.5, rate.kept(1e9), 1e-12);
  }

  @Test
  void shouldHurryAllPiecesButTheirLatency() {
    CopyRate rate =
        CopyProbe.rate(
            List.of(1000L, 3000L), List.of(2e-6, 4e-6), List.of(0.0, 0.0), List.of(0.0, 0.0));
    CopyRate twice = rate.faster(rate.bytesPerSecond());
    assertEquals(1.5e-6, twice.seconds(1000, 1), 1e-12);
    assertEquals(2.5e-6, twice.seconds(3000, 1), 1e-12);
  }

  @Test
  void shouldGiveCopiesWhatIsLeftOfTheirRate() {
    assertEquals(1, BesideProbe.copyCores(2, 1), "as fast with its part");
    assertEquals(1.5, BesideProbe.copyCores(2, 1.5), 1e-12);
    assertEquals(2, BesideProbe.copyCores(2, 5), "no more than there are");
  }

  private static final List<Long> SIZES = List.of(1L << 16, 1L << 20, 1L << 24, 1L << 26);

  @Test
  void shouldFindTheLineThroughExactTimes() {
    CopyRate exact = new CopyRate(55e9, 2.5e-6);
    CopyRate fitted =
        CopyProbe.fit(SIZES, SIZES.stream().map(size -> exact.seconds(size, 1)).toList());
    assertEquals(55e9, fitted.bytesPerSecond(), 1e3);
    assertEquals(2.5e-6, fitted.latencySeconds(), 1e-12);
  }

  @Test
  void shouldWeighSmallPiecesAsMuchAsLargeOnes() {
    CopyRate exact = new CopyRate(50e9, 3e-6);
    List<Double> noisy =
        List.of(
            exact.seconds(SIZES.get(0), 1) * 1.02,
            exact.seconds(SIZES.get(1), 1) * 0.98,
            exact.seconds(SIZES.get(2), 1) * 1.02,
            exact.seconds(SIZES.get(3), 1) * 0.98);
    CopyRate fitted = CopyProbe.fit(SIZES, noisy);
    for (int i = 0; i < SIZES.size(); i++) {
      assertEquals(1, fitted.seconds(SIZES.get(i), 1) / noisy.get(i), 0.05);
    }
  }

  @Test
  void shouldHaveNoLatencyBelowZero() {
    CopyRate fitted = CopyProbe.fit(List.of(1000L, 2000L), List.of(1e-6, 4e-6));
    assertEquals(0, fitted.latencySeconds());
  }

  @Test
  void shouldFitASingleSize() {
    assertEquals(1e9, CopyProbe.fit(List.of(1000L), List.of(1e-6)).bytesPerSecond(), 1);
  }
}
