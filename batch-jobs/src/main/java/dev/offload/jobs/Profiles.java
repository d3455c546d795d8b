package dev.offload.jobs;

import dev.offload.planner.hardware.HardwareEstimate;
import dev.offload.planner.hardware.HardwareJson;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.MachineFacts;
import dev.offload.planner.hardware.Presets;
import dev.offload.tensors.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Consumer;

/** Finds the profile of the machine that is planned for. */
final class Profiles {
  /** The machine this runs on. */
  static final String HERE = "auto";

  private final Path folder;

  /**
   * @param folder in which measured profiles are kept
   */
  Profiles(Path folder) {
    this.folder = folder;
  }

  /** Those of the user: {@code offload} in {@code XDG_CACHE_HOME}, or else in {@code ~/.cache}. */
  static Profiles ofUser() {
    String configured = System.getenv("XDG_CACHE_HOME");
    Path base =
        configured == null || configured.isEmpty()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(configured);
    return new Profiles(base.resolve("offload"));
  }

  /**
   * A machine by what the user calls it.
   *
   * @param hardware {@value #HERE}, a preset, or a file that {@code offload profile --save} wrote
   * @throws RefusedException if there is no such machine, or the file is broken
   */
  FoundProfile find(String hardware, BudgetOptions machine) throws IOException, RefusedException {
    if (hardware.equals(HERE)) {
      return here(machine);
    }
    Path file = Path.of(hardware);
    if (hardware.toLowerCase(Locale.ROOT).endsWith(".json") || Files.isRegularFile(file)) {
      return new FoundProfile(read(file), "from " + file);
    }
    try {
      HardwareProfile preset = Presets.load().find(hardware).profile();
      return new FoundProfile(
          preset,
          "a preset: stated by others, %d figures assumed".formatted(preset.assumptions().size()));
    } catch (IllegalArgumentException e) {
      throw new RefusedException(
          "--hardware: %s; or give %s for this machine, or a file that offload profile --save wrote"
              .formatted(e.getMessage(), HERE),
          e);
    }
  }

  /**
   * This machine, with the device memory that the options allow: as last measured, or else from
   * what the operating system says; nothing is measured now.
   */
  FoundProfile here(BudgetOptions machine) throws IOException, RefusedException {
    return here(machine, ThisMachine.facts(machine.threads(), machine.temporary()));
  }

  private FoundProfile here(BudgetOptions machine, MachineFacts facts)
      throws IOException, RefusedException {
    FoundDevice device = machine.device();
    Path saved = file(facts, device);
    if (Files.isRegularFile(saved)) {
      return new FoundProfile(
          read(saved).withDeviceMemory(machine.deviceMemory()),
          "measured by offload profile on %tF"
              .formatted(Files.getLastModifiedTime(saved).toMillis()));
    }
    if (!isProcessor(device)) {
      throw new RefusedException(
          "nobody has measured %s, %s; run offload profile --device %s once, or give --device cpu"
              .formatted(device.label(), device.description().name(), device.label()));
    }
    return new FoundProfile(
        HardwareEstimate.of(facts).withDeviceMemory(machine.deviceMemory()),
        "not measured, its rates are guesses; run offload profile once, it takes less than a"
            + " minute");
  }

  /**
   * This machine as {@link #here}, or by an estimate where what was measured cannot be used.
   *
   * @param warn is told why it cannot and what to do
   */
  HardwareProfile orEstimate(BudgetOptions machine, Consumer<String> warn)
      throws IOException, RefusedException {
    MachineFacts facts = ThisMachine.facts(machine.threads(), machine.temporary());
    try {
      return here(machine, facts).profile();
    } catch (RefusedException | IOException e) {
      warn.accept(
          "planned with estimated rates, not with those that were measured: " + Messages.plain(e));
      return HardwareEstimate.of(facts).withDeviceMemory(machine.deviceMemory());
    }
  }

  /** Keeps a profile of this machine and says where. */
  Path keep(HardwareProfile profile, MachineFacts facts, FoundDevice device) throws IOException {
    Path file = file(facts, device);
    HardwareJson.write(profile, file);
    return file;
  }

  private Path file(MachineFacts facts, FoundDevice device) {
    String name = device.backend().name();
    return folder.resolve(
        ThisMachine.profileFile(
            facts, isProcessor(device) ? name : name + " " + device.description()));
  }

  /** Which the host's facts describe. */
  private static boolean isProcessor(FoundDevice device) {
    return device.backend().name().equals("cpu");
  }

  private static HardwareProfile read(Path file) throws IOException, RefusedException {
    if (!Files.isRegularFile(file)) {
      throw new RefusedException(
          "--hardware %s does not exist; make it with offload profile --save %s"
              .formatted(file, file));
    }
    try {
      return HardwareJson.read(file);
    } catch (ModelException | IllegalArgumentException e) {
      throw new RefusedException(e.getMessage() + "; measure again with offload profile", e);
    }
  }
}
