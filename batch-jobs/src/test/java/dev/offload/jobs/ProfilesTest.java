package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.planner.hardware.HardwareJson;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.MachineFacts;
import dev.offload.planner.hardware.Presets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

final class ProfilesTest {
  @TempDir Path folder;
  private Profiles profiles;

  @Command
  private static final class Options {
    @Mixin private BudgetOptions machine;

    static BudgetOptions parse(String... arguments) {
      Options options = new Options();
      new CommandLine(options).parseArgs(arguments);
      return options.machine;
    }
  }

  @BeforeEach
  void open() {
    profiles = new Profiles(folder.resolve("cache"));
  }

  @Test
  void shouldEstimateWhatWasNotMeasured() throws Exception {
    FoundProfile found = profiles.find("auto", Options.parse("--threads", "3"));
    assertTrue(found.remark().contains("run offload profile"), found.remark());
    assertEquals(3, found.profile().sharing().cores());
    assertEquals(BudgetOptions.machineMemory(), found.profile().hostMemoryBytes());
    assertTrue(
        found.profile().assumptions().stream()
            .anyMatch(each -> each.field().equals("device.memory_bytes_per_s")));
    assertTrue(!Files.exists(folder.resolve("cache")), "nothing is written");
  }

  @Test
  void shouldTakeWhatWasMeasuredWithTheMemoryAskedFor() throws Exception {
    BudgetOptions machine = Options.parse("--threads", "3", "--device-memory", "5MiB");
    MachineFacts facts = ThisMachine.facts(3, machine.temporary());
    HardwareProfile measured = Presets.load().find("h200").profile();
    profiles.keep(measured, facts, machine.device());
    FoundProfile found = profiles.find("auto", machine);
    assertEquals(measured.withDeviceMemory(5 << 20), found.profile());
    assertTrue(found.remark().startsWith("measured by offload profile on 20"), found.remark());
    assertNotEquals(
        measured.link(),
        profiles.find("auto", Options.parse("--threads", "2")).profile().link(),
        "measured with other threads");
  }

  @Test
  void shouldFindPresets() throws Exception {
    FoundProfile found = profiles.find("RTX 4090", Options.parse());
    assertEquals("rtx-4090", found.profile().name());
    assertTrue(found.remark().matches("a preset: .* \\d+ figures assumed"), found.remark());
  }

  @Test
  void shouldReadFiles() throws Exception {
    Path file = folder.resolve("big.json");
    HardwareProfile big = Presets.load().find("h100").profile();
    HardwareJson.write(big, file);
    assertEquals(big, profiles.find(file.toString(), Options.parse()).profile());
  }

  @Test
  void shouldRefuseWhatIsNot() {
    refuses("rtx4080", "there is no preset 'rtx4080', did you mean rtx-4090");
    refuses(folder + "/none.json", "none.json does not exist; make it with offload profile --save");
  }

  @Test
  void shouldRefuseBrokenFiles() throws IOException {
    Path file = folder.resolve("broken.json");
    Files.writeString(file, "{\"schema\": \"offload-hardware-1\", \"name\": 3}");
    refuses(file.toString(), file + ": device is missing; it must be an object");
  }

  @Test
  void shouldEstimateWhereTheMeasuredProfileIsBroken() throws Exception {
    BudgetOptions machine = Options.parse("--threads", "3", "--device-memory", "5MiB");
    MachineFacts facts = ThisMachine.facts(3, machine.temporary());
    Path saved = profiles.keep(Presets.load().find("h200").profile(), facts, machine.device());
    List<String> warnings = new ArrayList<>();
    assertEquals("h200", profiles.orEstimate(machine, warnings::add).name());
    assertEquals(List.of(), warnings);

    Files.writeString(saved, "{\"schema\": \"offload-hardware-0\"}");
    HardwareProfile estimate = profiles.orEstimate(machine, warnings::add);
    assertEquals(3, estimate.sharing().cores());
    assertEquals(5 << 20, estimate.deviceMemoryBytes());
    assertEquals(1, warnings.size());
    assertTrue(warnings.getFirst().contains(saved + ": schema"), warnings.getFirst());
    assertTrue(warnings.getFirst().contains("measure again with offload profile"));
  }

  private void refuses(String hardware, String message) {
    RefusedException e =
        assertThrows(RefusedException.class, () -> profiles.find(hardware, Options.parse()));
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }
}
