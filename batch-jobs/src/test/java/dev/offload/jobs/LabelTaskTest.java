package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.jobs.rows.JsonLines;
import dev.offload.jobs.rows.RawRow;
import dev.offload.jobs.rows.RowSource;
import dev.offload.jobs.tables.FileFormat;
import dev.offload.jobs.tables.TableRows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Labeling as a job: order, bad rows, formats, and going on after a failure. */
class LabelTaskTest {
  private static final int ROWS = 300;

  @TempDir private Path folder;

  @Test
  void shouldLabelInInputOrderAndReportBadRows() throws Exception {
    JobFiles files = files("in.jsonl", "out.jsonl");
    Files.writeString(
        files.input(),
        """
        {"id":"a","prompt":"x","more":{"anything":[]}}
        {"prompt":null}
        {broken
        {"id":99999999999999999999,"prompt":"x"}
        {"id":"a","prompt":"x"}
        {"prompt":"%s"}
        {"prompt":"y"}
        """
            .formatted("long".repeat(30)));
    JobOutcome outcome = run(files, 1, row -> {});
    assertEquals(new JobOutcome(7, 5, 0), outcome);
    List<String> lines = Files.readAllLines(files.output());
    // Scores: x is byte 120, and (120 + 'y') % 3 = 1, (120 + 'n') % 3 = 2, (120 + 'm') % 3 = 1.
    assertTrue(
        lines.get(0).startsWith("{\"id\":\"a\",\"label\":\"yes\",\"probabilities\":{\"yes\":0.42"),
        lines.get(0));
    assertTrue(lines.get(1).startsWith("{\"id\":7,\"label\":\""), lines.get(1));
    assertEquals(
        List.of(
            "{\"line\":2,\"id\":2,\"error\":\"field prompt is missing, which the template names\"}",
            "{\"line\":4,\"id\":99999999999999999999,\"error\":\"id is 99999999999999999999, must be"
                + " a text, or a whole number that fits 64 bits\"}",
            "{\"line\":5,\"id\":\"a\",\"error\":\"id \\\"a\\\" was given before, on line 1\"}"),
        Files.readAllLines(files.errors()).stream()
            .filter(e -> !e.matches(".*(broken|together).*"))
            .toList());
  }

  @ParameterizedTest
  @ValueSource(strings = {".jsonl", ".csv", ".parquet"})
  void shouldGiveTheSameLabelsInEveryFormat(String ending) throws Exception {
    JobFiles plain = files("in.jsonl", "plain.jsonl");
    Files.writeString(plain.input(), String.join("\n", rows()));
    run(plain, 1, row -> {});

    // The labeled rows, as a table, are rows again.
    JobFiles labeled = files("in.jsonl", "labeled" + ending);
    run(labeled, 2, row -> {});
    assertEquals(labels(plain.output()), labels(labeled.output()));
    assertFalse(Files.exists(labeled.whole()));

    // And a table is as good an input.
    Path table = folder.resolve("table" + ending);
    if (!ending.equals(".jsonl")) {
      JobFiles fromTable =
          new JobFiles(table, folder.resolve("again.jsonl"), folder.resolve("again.errors"));
      writeTable(table, ending);
      run(fromTable, 3, row -> {});
      assertEquals(Files.readString(plain.output()), Files.readString(fromTable.output()));
    }
  }

  @Test
  void shouldKeepFinishedRowsWhenTheEngineFails() throws Exception {
    JobFiles files = files("in.jsonl", "out.csv");
    Files.writeString(files.input(), String.join("\n", rows()));
    LongConsumer failing =
        row -> {
          if (row == 200) {
            throw new IllegalStateException("the device is gone");
          }
        };
    assertThrows(IllegalStateException.class, () -> run(files, 3, failing));
    assertFalse(Files.exists(files.output()));
    Set<Long> again = new HashSet<>();
    JobOutcome outcome = run(files, 4, again::add);
    assertTrue(outcome.resumedRows() > 150, outcome.toString());
    assertEquals(ROWS, again.size() + outcome.resumedRows());
    String resumed = Files.readString(files.output());

    JobFiles whole = files("in.jsonl", "whole.csv");
    run(whole, 5, row -> {});
    assertEquals(Files.readString(whole.output()), resumed);
    try (var left = Files.list(folder)) {
      assertEquals(
          Set.of("in.jsonl", "out.csv", "whole.csv"),
          Set.copyOf(left.map(file -> file.getFileName().toString()).toList()));
    }
  }

  /**
   * A kill while the table is written leaves lines and half a table; the journal has everything.
   */
  @Test
  void shouldWriteTheTableAgainAfterAKillWhileItWasWritten() throws Exception {
    JobFiles files = files("in.jsonl", "out.csv");
    Files.writeString(files.input(), String.join("\n", rows()));
    try (JobState state = JobState.open(files, KilledJob.JOB, StartMode.RESUME)) {
      LabelTask task = FakeChooser.task(files, 6, row -> {});
      LabelTask failing =
          new LabelTask(
              files,
              FakeChooser.LABELING,
              Optional.empty(),
              new FakeChooser(6, row -> {}),
              lines -> {
                task.form().whole(lines);
                throw new IOException("No space left on device");
              });
      assertThrows(IOException.class, () -> new Job<>(state, failing).run(counters -> {}));
    }
    assertFalse(Files.exists(files.output()));
    Set<Long> again = new HashSet<>();
    JobOutcome outcome = run(files, 7, again::add);
    assertEquals(Set.of(), again);
    assertEquals(ROWS, outcome.resumedRows());
    assertEquals(ROWS + 1, Files.readAllLines(files.output()).size());
  }

  private JobFiles files(String input, String output) {
    Path out = folder.resolve(output);
    return new JobFiles(folder.resolve(input), out, JobFiles.errorsBeside(out, ".jsonl"));
  }

  private static JobOutcome run(JobFiles files, long seed, LongConsumer beforeFinish)
      throws Exception {
    try (JobState state = JobState.open(files, KilledJob.JOB, StartMode.RESUME)) {
      return new Job<>(state, FakeChooser.task(files, seed, beforeFinish)).run(counters -> {});
    }
  }

  private static List<String> rows() {
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < ROWS; i++) {
      rows.add("{\"id\":\"row %d\",\"prompt\":\"text, \\\"%d\\\"\"}".formatted(i, i));
    }
    return rows;
  }

  private static void writeTable(Path table, String ending) throws Exception {
    Path csv = table.resolveSibling("table.csv");
    StringBuilder text = new StringBuilder("id,prompt\n");
    for (int i = 0; i < ROWS; i++) {
      text.append("row %d,\"text, \"\"%d\"\"\"%n".formatted(i, i));
    }
    Files.writeString(csv, text);
    if (ending.equals(".parquet")) {
      try (var connection = DriverManager.getConnection("jdbc:duckdb:");
          var statement = connection.createStatement()) {
        statement.execute("COPY (FROM '%s') TO '%s'".formatted(csv, table));
      }
    }
  }

  /** Id and label of each row. */
  private static List<String> labels(Path file) throws Exception {
    List<String> labels = new ArrayList<>();
    try (RowSource rows =
        FileFormat.of(file).orElseThrow() == FileFormat.JSONL
            ? JsonLines.open(file)
            : TableRows.open(file, FileFormat.of(file).orElseThrow(), Set.of("label"))) {
      for (Optional<RawRow> row = rows.next(); row.isPresent(); row = rows.next()) {
        labels.add(row.get().fields().get("id") + " " + row.get().fields().get("label"));
      }
    }
    return labels;
  }
}
