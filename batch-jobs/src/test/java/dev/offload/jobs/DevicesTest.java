package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.offload.backends.api.DeviceDescription.Kind;
import dev.offload.backends.conformance.junit.UsableBackend;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code offload devices}, {@code offload doctor} and {@code --device}. */
final class DevicesTest {
  private static final FakeBackend CPU = new FakeBackend("cpu").with(Kind.PROCESSOR, 1 << 30);
  private static final FakeBackend GONE = new FakeBackend("cuda").unusable("install libcuda");

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void shouldListDevicesAndSayWhyThereAreNone() throws IOException {
    assertEquals(0, run(new DevicesCommand(() -> new DeviceFinder(List.of(CPU, GONE), true))));
    assertTrue(
        out.toString().contains("cpu:0      cpu device 0: processor, 1.00 GiB"), out::toString);
    assertTrue(out.toString().contains("not usable: install libcuda"), out::toString);
    assertTrue(out.toString().contains("--device auto is cpu:0"), out::toString);
  }

  @Test
  void shouldListTheDevicesOfThisMachine() throws IOException {
    assertEquals(0, command("devices", "--json"));
    JsonNode backends = new JsonMapper().readTree(out.toString()).get("backends");
    JsonNode cpu = find(backends, "cpu");
    assertTrue(cpu.get("usable").asBoolean());
    assertEquals("cpu:0", cpu.get("devices").get(0).get("device").asText());
    JsonNode opencl = find(backends, "opencl");
    assertEquals(opencl.get("usable").asBoolean(), opencl.get("reason").isNull());
  }

  private static JsonNode find(JsonNode backends, String name) {
    for (JsonNode backend : backends) {
      if (backend.get("name").asText().equals(name)) {
        return backend;
      }
    }
    throw new AssertionError("no " + name + " in " + backends);
  }

  @Test
  void shouldFindThisProcessorWell() {
    assertEquals(0, command("doctor", "--device=cpu", "--checks=Rope"), out::toString);
    assertTrue(out.toString().contains("Rope.shouldRotateHeads"), out::toString);
    assertTrue(out.toString().contains("4 of 4 checks passed"), out::toString);
  }

  @Test
  void shouldNotFindADeviceWellThatFailsItsChecks() {
    DoctorCommand doctor = new DoctorCommand(() -> new DeviceFinder(List.of(CPU), false));
    assertEquals(1, run(doctor, "--checks=Rope"));
    assertTrue(out.toString().contains("FAILED"), out::toString);
    assertTrue(out.toString().contains("cpu is lost"), out::toString);
    assertTrue(out.toString().contains("0 of 4 checks passed"), out::toString);
  }

  @Test
  void shouldNotFindABackendWellThatCannotBeUsed() {
    DoctorCommand doctor = new DoctorCommand(() -> new DeviceFinder(List.of(CPU, GONE), false));
    assertEquals(1, run(doctor, "--backend=cuda"));
    assertTrue(out.toString().contains("install libcuda"), out::toString);
    assertFalse(out.toString().contains("checks passed"), out::toString);
  }

  @Test
  void shouldRefuseChecksThatDoNotExist() {
    assertEquals(2, command("doctor", "--checks=Telepathy"));
    assertTrue(err.toString().contains("Attention"), err::toString);
  }

  @Test
  void shouldGiveTheSameRowsOnAnotherDevice(@TempDir Path folder) throws IOException {
    UsableBackend.orSkip("opencl");
    Path input = folder.resolve("in.jsonl");
    Files.writeString(
        input,
        """
        {"prompt": "A spreadsheet is", "max_tokens": 12}
        {"prompt": "The kernel", "max_tokens": 12}
        {"prompt": "To print a document", "max_tokens": 12, "logprobs": 1}
        """);
    assertEquals(generate(input, folder, "cpu"), generate(input, folder, "opencl:0"));
    assertEquals(
        0,
        command(
            "bench",
            "--json",
            "--device=opencl",
            "--dtype=float32",
            "--model=../examples/models/tiny-moe",
            "--requests=2",
            "--prompt-tokens=3",
            "--generated-tokens=4",
            "--device-memory=512MiB",
            "--host-memory=256MiB",
            "--warm-up=0"),
        err::toString);
    assertTrue(new JsonMapper().readTree(out.toString()).get("bound_tokens_per_s").asDouble() > 0);
  }

  /** The texts of the answers. */
  private List<String> generate(Path input, Path folder, String device) throws IOException {
    Path output = folder.resolve(device.replace(':', '-') + ".jsonl");
    int code =
        command(
            "generate",
            "--device=" + device,
            "--dtype=float32",
            "--model=../examples/models/tiny-moe",
            "--device-memory=512MiB",
            "--host-memory=256MiB",
            "--input=" + input,
            "--output=" + output);
    assertEquals(0, code, err::toString);
    JsonMapper mapper = new JsonMapper();
    return Files.readAllLines(output).stream()
        .map(
            line -> {
              try {
                return mapper.readTree(line).get("text").asText();
              } catch (IOException e) {
                throw new AssertionError(line, e);
              }
            })
        .toList();
  }

  private int run(Object command, String... args) {
    return new CommandLine(command)
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(args);
  }

  private int command(String... args) {
    return Main.run(new PrintWriter(out, true), new PrintWriter(err, true), args);
  }
}
