package dev.offload.planner.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.junit.jupiter.api.Test;

class StepTimeTest {
  @Test
  void shouldWaitForWhateverTakesLongest() {
    StepTime step = new StepTime();
    step.add(Activity.CPU_ATTENTION, 3);
    step.add(Activity.MATRIX_PRODUCTS, 2);
    step.add(Activity.QUANTISATION, 1);
    step.add(Activity.HOST_TO_DEVICE, 2.5);
    step.add(Activity.DISK, 5);
    assertEquals(
        Map.of(
            Activity.CPU_ATTENTION, 3.0, Activity.MATRIX_PRODUCTS, 2.0, Activity.QUANTISATION, 1.0),
        step.longestPath());
    step.add(Activity.HOST_TO_DEVICE, 1);
    assertEquals(
        Map.of(Activity.CPU_ATTENTION, 3.0, Activity.HOST_TO_DEVICE, 3.5), step.longestPath());
    step.add(Activity.DISK, 2);
    assertEquals(Map.of(Activity.DISK, 7.0), step.longestPath());
    assertEquals(5, step.inSequence().size());
  }
}
