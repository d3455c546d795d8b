package dev.offload.planner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.tensors.DType;
import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.UnitId;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Plans that no engine can run are refused when they are made. */
class PlanTest {
  private static final UnitId ON_HOST = UnitId.expert(0, 0);
  private static final UnitId ON_DEVICE = UnitId.expert(0, 1);
  private static final UnitId ATTENTION = UnitId.of(UnitId.Kind.ATTENTION, 0);
  private static final Plan PLAN =
      new Plan(
          DType.F32,
          Map.of(ON_HOST, Tier.HOST, ON_DEVICE, Tier.DEVICE, ATTENTION, Tier.HOST),
          List.of(new KvGroup(KvGroup.Home.DEVICE, 1, 1)),
          0,
          1,
          0,
          0,
          0,
          0,
          1);

  @Test
  void shouldTakeExpertsOfTheHost() {
    assertEquals(Set.of(), PLAN.hostExperts());
    Plan plan = PLAN.withHostExperts(Set.of(ON_HOST));
    assertEquals(Set.of(ON_HOST), plan.hostExperts());
    assertEquals(PLAN, plan.withHostExperts(Set.of()));
  }

  @Test
  void shouldRefuseToComputeOnTheHostWhatIsNoExpertThere() {
    for (UnitId unit : List.of(ON_DEVICE, ATTENTION, UnitId.expert(1, 0))) {
      IllegalArgumentException refusal =
          assertThrows(IllegalArgumentException.class, () -> PLAN.withHostExperts(Set.of(unit)));
      assertTrue(refusal.getMessage().contains(unit.toString()), refusal.getMessage());
    }
  }
}
