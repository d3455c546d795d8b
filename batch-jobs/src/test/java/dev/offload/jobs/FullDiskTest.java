package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Runs the command on file systems that are too small or cannot be written to, each in a mount
 * namespace of its own. Skipped where such a namespace may not be made.
 */
class FullDiskTest {
  private static final Path MODEL = Path.of("../examples/models/tiny-moe").toAbsolutePath();
  private static final int ROWS = 700;

  @TempDir private static Path shared;
  private static Path input;

  /** What a job gives that has room. */
  private static Path whole;

  @TempDir private Path folder;
  private Path disk;

  @BeforeAll
  static void writeRows() throws Exception {
    input = shared.resolve("in.jsonl");
    whole = shared.resolve("whole.jsonl");
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < ROWS; i++) {
      rows.add("{\"id\":\"%01000d\",\"prompt\":\"a\",\"max_tokens\":1}".formatted(i));
    }
    Files.writeString(input, String.join("\n", rows));
    Path disk = Files.createDirectory(shared.resolve("disk"));
    Ran probe = run("mount -t tmpfs -o size=1m none " + disk);
    assumeTrue(probe.exitCode == 0, () -> "no file system can be mounted here: " + probe.said);
    Ran ran = run(generate(whole));
    assertEquals(0, ran.exitCode, ran.said);
  }

  @BeforeEach
  void makeDisk() throws IOException {
    disk = Files.createDirectory(folder.resolve("disk"));
  }

  /** Room for the header of the journal, for the journal, and for it and some of the output. */
  @ParameterizedTest
  @ValueSource(strings = {"600k", "1100k", "1500k"})
  void shouldSayThatTheDiskIsFullAndGoOnWhenThereIsRoom(String size) throws Exception {
    Path rescued = folder.resolve("rescued.jsonl");
    Ran ran =
        run(
            "mount -t tmpfs -o size=%s none %s".formatted(size, disk),
            generate(disk.resolve("out.jsonl")) + " || echo rc $?",
            "ls " + disk,
            "mount -o remount,size=64m " + disk,
            generate(disk.resolve("out.jsonl"), "--resume"),
            "cp %s %s".formatted(disk.resolve("out.jsonl"), rescued));
    assertEquals(0, ran.exitCode, ran.said);
    assertTrue(ran.said.contains(": No space left on device"), ran.said);
    assertTrue(ran.said.contains("rc 1\n"), ran.said);
    assertTrue(!ran.said.contains("\tat "), ran.said);
    assertEquals(Files.readString(whole), Files.readString(rescued));
    assertEquals(ROWS, Files.readAllLines(rescued).size());
  }

  @Test
  void shouldRefuseAFolderThatCannotBeWrittenTo() throws Exception {
    Ran ran =
        run(
            "mount -t tmpfs -o ro none " + disk,
            generate(disk.resolve("out.jsonl")) + " || echo rc $?");
    assertTrue(ran.said.contains("cannot be written to"), ran.said);
    assertTrue(ran.said.contains("rc 2\n"), ran.said);
  }

  private static String generate(Path output, String... more) {
    List<Object> arguments = new ArrayList<>();
    arguments.addAll(List.of("generate", "--model=" + MODEL, "--input=" + input));
    arguments.addAll(List.of("--output=" + output, "--dtype=float32"));
    arguments.addAll(List.of(more));
    return ChildJvm.shell(ChildJvm.command(Main.class, arguments.toArray()));
  }

  private static Ran run(String... script) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                "unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", lines(script))
            .redirectErrorStream(true)
            .start();
    try (var out = process.inputReader()) {
      String said = String.join("\n", out.lines().toList()) + "\n";
      assertTrue(process.waitFor(10, TimeUnit.MINUTES), said);
      return new Ran(process.exitValue(), said);
    }
  }

  private static String lines(String... script) {
    return String.join("\n", script);
  }

  private record Ran(int exitCode, String said) {}
}
