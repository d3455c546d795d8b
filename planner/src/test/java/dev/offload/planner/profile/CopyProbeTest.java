package dev.offload.planner.profile;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.offload.planner.hardware.HardwareProfile.CopyRate;
import java.util.List;
import org.junit.jupiter.api.Test;

final class CopyProbeTest {
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
