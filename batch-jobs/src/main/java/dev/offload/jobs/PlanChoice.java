package dev.offload.jobs;

import dev.offload.backends.api.Device;
import dev.offload.engine.Engine;
import dev.offload.engine.EngineModel;
import dev.offload.engine.EngineOptions;
import dev.offload.engine.PlanFacts;
import dev.offload.planner.Plan;
import dev.offload.planner.PlanFile;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.tensors.DType;
import dev.offload.tensors.ModelException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** The plan an engine is opened with: one from a file, or the planner's. */
final class PlanChoice {
  private PlanChoice() {}

  /**
   * Finds the plan.
   *
   * @param machine may name a saved plan; if not, the planner decides by what is known of the
   *     machine
   * @throws ModelException if the file holds no plan, one for another model, machine or format, or
   *     one that takes more than the budgets
   * @throws IllegalArgumentException if no plan fits the budgets
   * @throws RefusedException if the options name a device that is not there
   */
  static Plan of(EngineModel model, Device device, EngineOptions options, MachineOptions machine)
      throws IOException, RefusedException {
    Optional<Path> file = machine.plan();
    if (file.isEmpty()) {
      HardwareProfile rates = Profiles.ofUser().orEstimate(machine, machine::warn);
      return Engine.plan(model, device, options, rates);
    }
    PlanFile saved = PlanFile.read(file.get());
    DType wanted = options.computeDType().orElse(model.config().storedDType());
    DType planned = saved.plan().computeDType();
    if (planned != wanted) {
      throw new ModelException(
          "%s: compute_dtype is %s, but matrices are to be in %s; give --dtype or make another plan"
              .formatted(file.get(), lower(planned), lower(wanted)));
    }
    saved.requireMadeFor(file.get(), PlanFacts.of(model, device.operations(), planned));
    saved.requireFits(
        file.get(),
        Engine.sizes(model, device.operations(), planned),
        options.deviceMemory(),
        options.hostMemory());
    return saved.plan();
  }

  private static String lower(DType dtype) {
    return dtype.name().toLowerCase(Locale.ROOT);
  }
}
