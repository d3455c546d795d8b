package dev.offload.jobs.plan;

import dev.offload.jobs.plan.Outcome.Predicted;
import dev.offload.jobs.plan.Outcome.Unknown;
import dev.offload.planner.Recommendation.Prediction;
import dev.offload.planner.Workload;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.Presets;
import dev.offload.planner.peers.FlexGenMachine;
import dev.offload.planner.search.Wishes;
import dev.offload.tensors.DType;
import dev.offload.tensors.ModelException;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.ModelShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * What this planner predicts of its own engine for the same model, card, memory and lengths, in 16
 * bits or as the checkpoint is packed: it has no weights or cache in 4 bits.
 */
final class OurPoints implements Predictor {
  /** Models that have the shape of another. */
  private static final Map<String, String> SHAPES = Map.of("deepseek-r1", "deepseek-v3");

  private final Path shapes;
  private final Presets presets = Presets.load();

  /**
   * @param shapes folder with a folder per model, each with a config.json
   */
  OurPoints(Path shapes) {
    this.shapes = shapes;
  }

  @Override
  public String field() {
    return "ours";
  }

  @Override
  public String title() {
    return "ours";
  }

  @Override
  public Outcome predict(PublishedPoint point) {
    Path folder = shapes.resolve(SHAPES.getOrDefault(point.model(), point.model()));
    if (!Files.exists(folder.resolve("config.json"))) {
      return new Unknown("there is no " + folder.resolve("config.json"));
    }
    try {
      return predict(point, ModelFolder.describe(folder), machine(point));
    } catch (IOException | ModelException | IllegalArgumentException e) {
      return new Unknown(e.getMessage());
    }
  }

  private static Predicted predict(
      PublishedPoint point, ModelShape shape, HardwareProfile machine) {
    ShapePlanner planner = ShapePlanner.of(shape, machine);
    Workload workload =
        Workload.of(point.promptTokens(), point.generatedTokens(), OptionalLong.empty());
    Wishes wishes =
        Wishes.of(
            planner.deviceBytes(),
            planner.hostBytes(),
            machine.disk().freeBytes(),
            workload.longest());
    DType dtype = shape.config().storedDType() == DType.F32 ? DType.F16 : planner.usualFormat();
    Prediction prediction =
        planner
            .planner(workload, wishes)
            .recommend(List.of(planner.sizes(dtype, shape.packing().isPresent())))
            .prediction();
    return new Predicted(prediction.tokensPerSecond(), prediction.bottleneck());
  }

  /**
   * The card as others stated it, in a host with as much memory as the point states. FlexGen's disk
   * reads as fast as its loop shows, which is five times what its cost model states.
   */
  private HardwareProfile machine(PublishedPoint point) {
    HardwareProfile preset = presets.find(point.gpu()).profile();
    HardwareProfile.Disk disk = preset.disk();
    return new HardwareProfile(
        preset.name(),
        preset.title(),
        preset.device(),
        preset.deviceMemoryBytes(),
        preset.link(),
        preset.host(),
        point.hostBytes().orElse(preset.hostMemoryBytes()),
        preset.sharing(),
        new HardwareProfile.Disk(
            point.diskBytes().orElse(disk.freeBytes()),
            point.system().equals(FlexGenPoints.SYSTEM)
                ? FlexGenMachine.T4.diskRead()
                : disk.readBytesPerSecond(),
            disk.writeBytesPerSecond()),
        preset.assumptions());
  }
}
