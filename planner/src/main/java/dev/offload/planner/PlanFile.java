package dev.offload.planner;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.offload.tensors.DType;
import dev.offload.tensors.ModelException;
import dev.offload.tensors.Tier;
import dev.offload.tensors.json.JsonFields;
import dev.offload.tensors.json.StrictJson;
import dev.offload.tensors.weights.UnitId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A plan as it lies on disk: JSON, with what it was made for.
 *
 * @param madeFor facts about model and machine that must be the same where it is used, by name
 * @param plan what lives where
 */
public record PlanFile(Map<String, String> madeFor, Plan plan) {
  private static final long MAX_BYTES = 256L << 20;
  private static final String FORMAT = "offload-plan-1";
  private static final int MOST = Integer.MAX_VALUE;
  private static final long MOST_BYTES = 1L << 53;

  public PlanFile {
    madeFor = Map.copyOf(madeFor);
  }

  /**
   * Refuses to be used for anything else.
   *
   * @param file where it came from
   * @param here the facts of this model and machine
   * @throws ModelException if any fact differs; names each
   */
  public void requireMadeFor(Path file, Map<String, String> here) {
    List<String> differing = new ArrayList<>();
    here.forEach(
        (name, value) -> {
          String then = madeFor.getOrDefault(name, "nothing");
          if (!then.equals(value)) {
            differing.add("%s is %s, here %s".formatted(name, then, value));
          }
        });
    if (!differing.isEmpty()) {
      differing.sort(null);
      throw new ModelException(
          "%s: was made for something else: %s; make one for this model and machine with offload plan --save"
              .formatted(file, String.join("; ", differing)));
    }
  }

  /**
   * Refuses what an engine could not open.
   *
   * @param file where it came from
   * @param sizes of the model on this machine, in the plan's compute format
   * @param deviceBytes budget of device memory
   * @param hostBytes budget of host memory
   * @throws ModelException if the plan's units are not the model's, if units are larger than what
   *     they pass through, or if the plan takes more than a budget
   */
  public void requireFits(Path file, ModelSizes sizes, long deviceBytes, long hostBytes) {
    try {
      PlanFit.require(plan, sizes, deviceBytes, hostBytes);
    } catch (IllegalArgumentException e) {
      throw new ModelException(file + ": " + e.getMessage(), e);
    }
  }

  /** Writes a plan; replaces the file if it exists. */
  public void write(Path file) throws IOException {
    Files.writeString(file, toJson() + "\n");
  }

  /** The plan as JSON. */
  public String toJson() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("format", FORMAT);
    json.put("made_for", new TreeMap<>(madeFor));
    json.put("compute_dtype", lower(plan.computeDType()));
    json.put("micro_batch_tokens", plan.microBatchTokens());
    json.put("kv_groups", plan.kvGroups().stream().map(PlanFile::toJson).toList());
    json.put("kv_ring_slots", plan.kvRingSlots());
    json.put("ring_bytes", plan.ringBytes());
    json.put("staging_bytes", plan.stagingBytes());
    json.put("swap_blocks", plan.swapBlocks());
    json.put("disk_swap_blocks", plan.diskSwapBlocks());
    json.put("granule_bytes", plan.granuleBytes());
    Map<String, List<String>> placement = new LinkedHashMap<>();
    for (Tier tier : Tier.values()) {
      placement.put(lower(tier), UnitNames.of(plan.unitsOn(tier)));
    }
    json.put("placement", placement);
    json.put("host_experts", UnitNames.of(plan.hostExperts()));
    try {
      return new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("numbers and texts cannot fail to be written", e);
    }
  }

  private static Map<String, Object> toJson(KvGroup group) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("home", lower(group.home()));
    json.put("blocks", group.blocks());
    json.put("sequences", group.sequences());
    return json;
  }

  /**
   * Reads a plan.
   *
   * @throws ModelException if it is none; names file, field and value
   */
  public static PlanFile read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new ModelException(file + ": is missing; write one with offload plan --save");
    }
    JsonFields json = StrictJson.readObject(file, MAX_BYTES);
    if (!json.text("format").orElse("").equals(FORMAT)) {
      throw json.refuse("format", "must be \"" + FORMAT + "\", as offload plan --save writes it");
    }
    try {
      return new PlanFile(madeFor(json), plan(json));
    } catch (IllegalArgumentException e) {
      throw new ModelException(file + ": " + e.getMessage(), e);
    }
  }

  private static Map<String, String> madeFor(JsonFields json) {
    Map<String, String> facts = new HashMap<>();
    json.object("made_for")
        .ifPresent(
            made -> made.names().forEach(name -> facts.put(name, made.text(name).orElseThrow())));
    return facts;
  }

  private static Plan plan(JsonFields json) {
    List<KvGroup> groups = new ArrayList<>();
    for (JsonFields group : json.objects("kv_groups")) {
      groups.add(
          new KvGroup(
              constant(group, "home", KvGroup.Home.values()),
              group.integer("blocks", 1, MOST),
              group.integer("sequences", 1, MOST)));
    }
    Map<UnitId, Tier> placement = new HashMap<>();
    JsonFields tiers =
        json.object("placement").orElseThrow(() -> json.refuse("placement", "must be an object"));
    for (Tier tier : Tier.values()) {
      for (UnitId unit : UnitNames.parse(tiers.texts(lower(tier)))) {
        if (placement.put(unit, tier) != null) {
          throw tiers.refuse(lower(tier), "must not place " + unit + " a second time");
        }
      }
    }
    Set<UnitId> hostExperts = new HashSet<>(UnitNames.parse(json.texts("host_experts")));
    return new Plan(
        constant(json, "compute_dtype", DType.values()),
        placement,
        groups,
        json.integer("kv_ring_slots", 0, MOST),
        json.integer("micro_batch_tokens", 1, MOST),
        json.longInteger("ring_bytes", 0, MOST_BYTES),
        json.longInteger("staging_bytes", 0, MOST_BYTES),
        json.integer("swap_blocks", 0, MOST),
        json.integer("disk_swap_blocks", 0, MOST),
        json.longInteger("granule_bytes", 0, MOST_BYTES),
        hostExperts);
  }

  private static <E extends Enum<E>> E constant(JsonFields json, String field, E[] values) {
    String text = json.text(field).orElse("");
    return Arrays.stream(values)
        .filter(value -> lower(value).equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                json.refuse(
                    field,
                    "must be one of "
                        + String.join(", ", Arrays.stream(values).map(PlanFile::lower).toList())));
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
