package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.jobs.journal.JobDescription;
import dev.offload.jobs.journal.OrderedOutput;
import dev.offload.jobs.rows.Answers;
import dev.offload.jobs.rows.RowDefaults;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JobTest {
  private static final JobDescription JOB = new JobDescription(Map.of("--seed", "0"));
  private static final int ROWS = 300;

  @TempDir private Path folder;
  private JobFiles files;

  @BeforeEach
  void writeRows() throws IOException {
    Path output = folder.resolve("out.jsonl");
    files = new JobFiles(folder.resolve("in.jsonl"), output, JobFiles.errorsBeside(output));
    Files.writeString(files.input(), String.join("\n", rows(ROWS)));
  }

  /** Every seventh row is bad in one of several ways. */
  static List<String> rows(int count) {
    String[] bad = {"{broken", "{\"prompt\":\"\"}", "{\"prompt\":[300]}", "{\"id\":\"row 1\"}"};
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      rows.add(
          i % 7 == 3
              ? bad[(i / 7) % bad.length]
              : "{\"id\":\"row %d\",\"prompt\":\"text %d\",\"max_tokens\":4}".formatted(i, i));
    }
    return rows;
  }

  @Test
  void shouldAnswerInInputOrderAndReportBadRows() throws Exception {
    JobOutcome outcome = run(StartMode.NEW, 1, row -> {});
    assertEquals(new JobOutcome(ROWS, 43, 0), outcome);
    assertEquals(ExitCode.ROWS_FAILED, outcome.exitCode());
    List<String> answers = Files.readAllLines(files.output());
    assertEquals(ROWS - 43, answers.size());
    assertEquals(
        "{\"id\":\"row 0\",\"text\":\"0 txet\",\"finish_reason\":\"stop\",\"usage\":"
            + "{\"prompt_tokens\":6,\"completion_tokens\":6}}",
        answers.getFirst());
    List<String> errors = Files.readAllLines(files.errors());
    assertEquals(43, errors.size());
    assertEquals("{\"line\":11,\"id\":11,\"error\":\"prompt is empty\"}", errors.get(1));
    assertEquals(
        "{\"line\":18,\"id\":18,\"error\":\"prompt[0] is 300, token ids of this model are from 0 to"
            + " 255\"}",
        errors.get(2));
    assertEquals(
        "{\"line\":25,\"id\":\"row 1\",\"error\":\"id \\\"row 1\\\" was given before, on line"
            + " 2\"}",
        errors.get(3));
    assertEquals(Set.of("in.jsonl", "out.jsonl", "out.errors.jsonl"), names());
  }

  @Test
  void shouldLeaveNoErrorFileWhenAllIsWell() throws Exception {
    Files.writeString(files.input(), "{\"prompt\":\"a\"}");
    assertEquals(ExitCode.OK, run(StartMode.NEW, 1, row -> {}).exitCode());
    assertEquals(Set.of("in.jsonl", "out.jsonl"), names());
  }

  @Test
  void shouldMakeAnEmptyOutputOfAnEmptyInput() throws Exception {
    Files.writeString(files.input(), "\n\n");
    assertEquals(new JobOutcome(0, 0, 0), run(StartMode.NEW, 1, row -> {}));
    assertEquals("", Files.readString(files.output()));
  }

  @Test
  void shouldGiveTheSameBytesWhereverItWasKilled() throws Exception {
    List<byte[]> snapshots = snapshotsOfAWholeRun();
    String answers = Files.readString(files.output());
    String errors = Files.readString(files.errors());
    Random random = new Random(11);
    for (byte[] snapshot : snapshots) {
      int cut = random.nextBoolean() ? snapshot.length : random.nextInt(snapshot.length + 1);
      pretendKilled(Arrays.copyOf(snapshot, cut));
      Set<Long> generated = new HashSet<>();
      JobOutcome outcome = run(StartMode.RESUME, random.nextLong(), generated::add);
      assertEquals(answers, Files.readString(files.output()));
      assertEquals(errors, Files.readString(files.errors()));
      assertEquals(ROWS, outcome.rows());
      assertEquals(43, outcome.failedRows());
      assertTrue(generated.size() + outcome.resumedRows() <= ROWS, "rows were generated again");
      assertEquals(Set.of("in.jsonl", "out.jsonl", "out.errors.jsonl"), names());
    }
  }

  /** What a kill would leave of the journal at several moments of a run. */
  private List<byte[]> snapshotsOfAWholeRun() throws Exception {
    List<byte[]> snapshots = new ArrayList<>();
    run(
        StartMode.NEW,
        2,
        row -> {
          if (row % 25 == 0) {
            sleep(30);
            snapshots.add(read(files.journal()));
          }
        });
    return snapshots;
  }

  private void pretendKilled(byte[] journal) throws IOException {
    Files.write(files.journal(), journal);
    Files.writeString(OrderedOutput.partial(files.output()), "half a li");
    Files.writeString(OrderedOutput.partial(files.errors()), "");
    Files.deleteIfExists(files.output());
    Files.deleteIfExists(files.errors());
  }

  @Test
  void shouldKeepFinishedRowsWhenTheEngineFails() throws Exception {
    LongConsumer failing =
        row -> {
          if (row == 200) {
            throw new IllegalStateException("the device is gone");
          }
        };
    assertThrows(IllegalStateException.class, () -> run(StartMode.NEW, 3, failing));
    assertFalse(Files.exists(files.output()));
    Set<Long> generated = new HashSet<>();
    JobOutcome outcome = run(StartMode.RESUME, 4, generated::add);
    assertTrue(outcome.resumedRows() > 150, outcome.toString());
    assertTrue(generated.size() <= ROWS - outcome.resumedRows(), "rows were generated again");
    String resumed = Files.readString(files.output());
    run(StartMode.OVERWRITE, 5, row -> {});
    assertEquals(Files.readString(files.output()), resumed);
  }

  @Test
  void shouldNotTakeAnOldOutputForTheOneThatWasToReplaceIt() throws Exception {
    Files.writeString(files.output(), "old");
    LongConsumer failing =
        row -> {
          throw new IllegalStateException("the device is gone");
        };
    Files.writeString(files.input(), "{\"prompt\":\"a\"}");
    assertThrows(IllegalStateException.class, () -> run(StartMode.OVERWRITE, 3, failing));
    assertFalse(StartMode.RESUME.isFinished(files));
    run(StartMode.RESUME, 3, row -> {});
    assertTrue(Files.readString(files.output()).contains("\"text\":\"a\""));
  }

  @Test
  void shouldReportAFailureToWrite() throws Exception {
    try (JobState state = JobState.open(files, JOB, StartMode.NEW)) {
      GenerationTask task = task(state, new FakeGenerator(1, row -> {}));
      state.journal().close();
      assertThrows(Exception.class, () -> new Job<>(state, task).run(counters -> {}));
    }
    assertFalse(Files.exists(files.output()));
  }

  @Test
  void shouldRefuseToResumeAnotherJob() throws Exception {
    LongConsumer failing =
        row -> {
          throw new IllegalStateException("stop");
        };
    assertThrows(IllegalStateException.class, () -> run(StartMode.NEW, 3, failing));
    JobDescription other = new JobDescription(Map.of("--seed", "1"));
    RefusedException refusal =
        assertThrows(RefusedException.class, () -> JobState.open(files, other, StartMode.RESUME));
    assertEquals(
        files.journal()
            + ": it was begun with --seed = 0, now --seed = 1; give what it was begun with, or"
            + " begin again with --overwrite",
        refusal.getMessage());
  }

  private JobOutcome run(StartMode mode, long seed, LongConsumer beforeFinish) throws Exception {
    try (JobState state = JobState.open(files, JOB, mode)) {
      return new Job<>(state, task(state, new FakeGenerator(seed, beforeFinish)))
          .run(counters -> {});
    }
  }

  private GenerationTask task(JobState state, Generator generator) {
    Answers answers = new Answers("job", state.journal().createdSeconds());
    return new GenerationTask(files, new RowDefaults(256), answers, generator);
  }

  private Set<String> names() throws IOException {
    try (var list = Files.list(folder)) {
      Set<String> names = new HashSet<>();
      list.forEach(file -> names.add(file.getFileName().toString()));
      return names;
    }
  }

  private static byte[] read(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
