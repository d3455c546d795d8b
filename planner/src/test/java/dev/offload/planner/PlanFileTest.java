package dev.offload.planner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.tensors.DType;
import dev.offload.tensors.ModelException;
import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.UnitId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlanFileTest {
  @TempDir private Path folder;

  @Test
  void shouldReadWhatItWrote() throws IOException {
    Random random = new Random(5);
    for (int i = 0; i < 50; i++) {
      PlanFile written = new PlanFile(Map.of("model.layers", "3"), randomPlan(random));
      Path file = folder.resolve("plan.json");
      written.write(file);
      assertEquals(written, PlanFile.read(file));
    }
  }

  @Test
  void shouldBeShortForManyExperts() {
    Map<UnitId, Tier> placement = new HashMap<>();
    for (int layer = 0; layer < 60; layer++) {
      for (int expert = 0; expert < 256; expert++) {
        placement.put(UnitId.expert(layer, expert), expert < 100 ? Tier.DEVICE : Tier.HOST);
      }
    }
    String json = new PlanFile(Map.of(), plan(placement, Set.of())).toJson();
    assertTrue(json.contains("\"layer.59.expert.100-255\""), json);
    assertTrue(json.length() < 6000, () -> json.length() + " characters");
  }

  @Test
  void shouldNameEveryDifference() throws IOException {
    PlanFile plan = new PlanFile(Map.of("model.layers", "3", "model.hidden", "64"), samplePlan());
    plan.requireMadeFor(Path.of("plan.json"), Map.of("model.layers", "3"));
    String message =
        assertThrows(
                ModelException.class,
                () ->
                    plan.requireMadeFor(
                        Path.of("plan.json"),
                        Map.of("model.layers", "4", "model.hidden", "65", "machine.block", "16")))
            .getMessage();
    assertTrue(message.startsWith("plan.json: was made for something else: "), message);
    for (String part :
        List.of(
            "model.layers is 3, here 4",
            "model.hidden is 64, here 65",
            "machine.block is nothing, here 16",
            "offload plan --save")) {
      assertTrue(message.contains(part), message);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "offload-plan-1 | offload-plan-9 | format is \"offload-plan-9\"",
        "\"bf16\" | \"int3\" | compute_dtype is \"int3\"",
        "\"micro_batch_tokens\" : 16 | \"micro_batch_tokens\" : 0 | micro_batch_tokens is 0",
        "\"ring_bytes\" : 100 | \"ring_bytes\" : -1 | ring_bytes is -1",
        "\"sequences\" : 4 | \"sequences\" : \"4\" | kv_groups[0].sequences is \"4\"",
        "\"home\" : \"device\" | \"home\" : \"moon\" | kv_groups[0].home is \"moon\"",
        "layer.0.attention | layer.x.attention | 'layer.x.attention' is no name",
        "expert.0-2 | expert.3-2 | 'layer.0.expert.3-2' is no range",
        "expert.0-2 | expert.0-99999999999 | 'layer.0.expert.99999999999' is no name",
        "\"output.0\" | \"head\", \"head\" | must not place head a second time",
        "\"host_experts\" : [ ] | \"host_experts\" : [ \"head\" ] | unit head",
      })
  void shouldRefuseWhatIsNoPlan(String good, String bad, String expected) throws IOException {
    String json = new PlanFile(Map.of("model.layers", "1"), samplePlan()).toJson();
    assertTrue(json.contains(good.strip()), () -> good + " in " + json);
    Path file = folder.resolve("broken.json");
    Files.writeString(file, json.replace(good.strip(), bad.strip()));
    String message = assertThrows(ModelException.class, () -> PlanFile.read(file)).getMessage();
    assertTrue(message.startsWith(file + ": "), message);
    assertTrue(message.contains(expected.strip()), message);
  }

  private static Plan samplePlan() {
    return plan(
        Map.of(
            UnitId.of(UnitId.Kind.ATTENTION, 0), Tier.DEVICE,
            UnitId.expert(0, 0), Tier.HOST,
            UnitId.expert(0, 1), Tier.HOST,
            UnitId.expert(0, 2), Tier.HOST,
            UnitId.output(0), Tier.DISK),
        Set.of());
  }

  private static Plan plan(Map<UnitId, Tier> placement, Set<UnitId> hostExperts) {
    return new Plan(
        DType.BF16,
        placement,
        List.of(new KvGroup(KvGroup.Home.DEVICE, 8, 4)),
        0,
        16,
        100,
        0,
        0,
        0,
        10,
        hostExperts);
  }

  private static Plan randomPlan(Random random) {
    Map<UnitId, Tier> placement = new HashMap<>();
    Set<UnitId> hostExperts = new HashSet<>();
    for (int layer = 0; layer < 3; layer++) {
      for (UnitId.Kind kind :
          List.of(
              UnitId.Kind.ATTENTION,
              UnitId.Kind.ROUTER,
              UnitId.Kind.MLP,
              UnitId.Kind.SHARED_EXPERT)) {
        placement.put(UnitId.of(kind, layer), tier(random));
      }
      for (int expert = 0; expert < 7; expert++) {
        UnitId unit = UnitId.expert(layer, expert);
        placement.put(unit, tier(random));
        if (placement.get(unit) == Tier.HOST && random.nextBoolean()) {
          hostExperts.add(unit);
        }
      }
    }
    placement.put(UnitId.embedding(), Tier.HOST);
    placement.put(UnitId.head(), tier(random));
    placement.put(UnitId.output(4096), tier(random));
    return plan(placement, hostExperts);
  }

  private static Tier tier(Random random) {
    return List.of(Tier.values()).get(random.nextInt(3));
  }
}
