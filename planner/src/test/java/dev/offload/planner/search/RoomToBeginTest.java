package dev.offload.planner.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.planner.Plan;
import dev.offload.planner.PlanBytes;
import dev.offload.planner.TestMachine;
import dev.offload.planner.Workload;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.search.Candidate.Whole;
import dev.offload.tensors.DType;
import java.io.IOException;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class RoomToBeginTest {
  private static final TestMachine MACHINE = TestMachine.gpu().withDeviceMemory(15L << 30);
  private static final Wishes WISHES = Wishes.of(15L << 30, 200L << 30, 1L << 41, 544);

  private static Whole steady(TestSizes sizes, Workload workload) {
    HardwareProfile machine = MACHINE.profile();
    return new PlanSearch(Format.of(sizes.model(), machine, workload, WISHES)).best().orElseThrow();
  }

  private static Plan plan(TestSizes sizes, Workload workload, Wishes wishes) {
    return Planner.of(sizes.config(), sizes.weightUnits(), MACHINE.profile(), workload, wishes)
        .plan(sizes);
  }

  @Test
  void shouldShortenAShortJob() throws IOException {
    TestSizes sizes = TestSizes.of("opt-30b", DType.F16);
    Workload eight = Workload.of(512, 32, OptionalLong.of(8));
    Whole steady = steady(sizes, eight);
    Whole roomy = RoomToBegin.forJob(steady, eight, 8);
    double before = JobTime.seconds(steady, eight, 8);
    double now = JobTime.seconds(roomy, eight, 8);
    assertTrue(now < 0.8 * before, now + " s instead of " + before);
    Plan plan = plan(sizes, eight, WISHES);
    assertEquals(roomy.candidate().design().microBatchTokens(), plan.microBatchTokens());
    PlanBytes bytes = PlanBytes.of(plan, sizes);
    assertTrue(bytes.device() <= WISHES.deviceBytes() && bytes.host() <= WISHES.hostBytes());
  }

  @Test
  void shouldLeaveAJobWhoseBeginningDoesNotMatter() throws IOException {
    TestSizes sizes = TestSizes.of("opt-30b", DType.F16);
    Workload many = Workload.of(512, 32, OptionalLong.of(1_000_000));
    Whole steady = steady(sizes, many);
    assertEquals(steady, RoomToBegin.forJob(steady, many, 1_000_000));
  }

  @Test
  void shouldLeaveWhatIsWished() throws IOException {
    TestSizes sizes = TestSizes.of("opt-30b", DType.F16);
    Wishes wishes =
        new Wishes(
            WISHES.deviceBytes(),
            WISHES.hostBytes(),
            WISHES.diskBytes(),
            OptionalInt.of(8),
            OptionalInt.of(2),
            OptionalInt.of(70),
            WISHES.rowTokens(),
            0,
            WISHES.kvHome());
    Workload eight = Workload.of(512, 32, OptionalLong.of(8));
    assertEquals(70, plan(sizes, eight, wishes).microBatchTokens());
  }
}
