package dev.offload.jobs.plan;

import dev.offload.backends.api.DataLayout;
import dev.offload.backends.api.RowMajorLayout;
import dev.offload.engine.Engine;
import dev.offload.engine.EngineModel;
import dev.offload.planner.ModelSizes;
import dev.offload.planner.Workload;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.search.Planner;
import dev.offload.planner.search.Wishes;
import dev.offload.tensors.DType;
import dev.offload.tensors.weights.ModelShape;

/**
 * Plans for a model of which only the shape is known, on a machine of which only the profile is.
 *
 * @param shape the model
 * @param model the same as an engine takes it
 * @param machine the machine
 * @param layout how its device keeps weights and cache
 */
public record ShapePlanner(
    ModelShape shape, EngineModel model, HardwareProfile machine, DataLayout layout) {
  /** Tokens of a cache block on machines that are not there. */
  private static final int BLOCK_TOKENS = 16;

  /** What a driver and its libraries leave of a card's memory. */
  public static final double CARD_SHARE = 0.94;

  /** What an operating system leaves of the host's memory for pinned buffers. */
  public static final double HOST_SHARE = 0.85;

  /** The same where the device has taken its part of it too. */
  private static final double SHARED_HOST_SHARE = 0.25;

  /** On a machine that is there, or has the layout of one that is. */
  public static ShapePlanner of(ModelShape shape, HardwareProfile machine, DataLayout layout) {
    return new ShapePlanner(shape, EngineModel.planned(shape), machine, layout);
  }

  /** On a machine with a card, which need not be there. */
  public static ShapePlanner of(ModelShape shape, HardwareProfile machine) {
    return of(shape, machine, new RowMajorLayout(BLOCK_TOKENS, 0));
  }

  /** The checkpoint's format, or where the machine has no rate for it one that is as large. */
  public DType usualFormat() {
    DType stored = shape.config().storedDType();
    boolean multiplies =
        machine.sharing().deviceIsHost() || machine.device().peakFlops().containsKey(stored);
    return multiplies || stored == DType.F32 ? stored : DType.F16;
  }

  /**
   * Sizes in a format.
   *
   * @param packed whether weights stay as the checkpoint packs them
   */
  public ModelSizes sizes(DType dtype, boolean packed) {
    ModelSizes unpacked = Engine.sizes(model, layout, dtype);
    return packed ? PackedSizes.of(shape, unpacked) : unpacked;
  }

  /** What of the device's memory may be used if nothing is said. */
  public long deviceBytes() {
    double share = machine.sharing().deviceIsHost() ? 1 : CARD_SHARE;
    return (long) (machine.deviceMemoryBytes() * share);
  }

  /** What of the host's memory may be used if nothing is said. */
  public long hostBytes() {
    double share = machine.sharing().deviceIsHost() ? SHARED_HOST_SHARE : HOST_SHARE;
    return (long) (machine.hostMemoryBytes() * share);
  }

  /** A planner for some work. */
  public Planner planner(Workload workload, Wishes wishes) {
    return Planner.of(model.config(), model.units(), machine, workload, wishes);
  }
}
