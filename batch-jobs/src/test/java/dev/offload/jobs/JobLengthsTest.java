package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.generation.ChoiceRequest;
import dev.offload.generation.TokenIds;
import dev.offload.jobs.FakeGenerator.ByteEncoder;
import dev.offload.jobs.rows.BadRow;
import dev.offload.jobs.rows.JsonLines;
import dev.offload.jobs.rows.RowDefaults;
import dev.offload.jobs.rows.RowReader;
import dev.offload.planner.Workload;
import dev.offload.planner.Workload.Lengths;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a job is planned by before it begins. */
class JobLengthsTest {
  private static final int MAX_TOKENS = 24;

  @TempDir private Path folder;

  @Test
  void shouldKnowAShortFile() throws IOException {
    Workload found =
        sample(
                """
                {"prompt": "0123456789"}
                {"prompt": [1, 2, 3, 4], "max_tokens": 6}

                {"prompt": "0123456789", "n": 2}
                not a row
                """)
            .orElseThrow();
    assertEquals(4, found.requests().orElseThrow());
    assertEquals((3 * 10 + 4) / 4.0, found.meanPromptTokens());
    assertEquals((3 * MAX_TOKENS + 6) / 4.0, found.meanGeneratedTokens());
  }

  @Test
  void shouldKnowAFileThatEndsWhereTheSampleDoes() throws IOException {
    for (int rows = 254; rows <= 258; rows++) {
      long requests = sample(equalRows(rows)).orElseThrow().requests().orElseThrow();
      assertEquals(rows, (double) requests, 2, rows + " rows");
    }
  }

  @Test
  void shouldEstimateALongFile() throws IOException {
    Workload found = sample(equalRows(20_000)).orElseThrow();
    assertEquals(20_000, (double) found.requests().orElseThrow(), 2_000);
    assertEquals(5, found.meanPromptTokens());
  }

  @Test
  void shouldKnowNothingOfAFileWithoutRows() throws IOException {
    assertTrue(sample("").isEmpty());
    assertTrue(sample("[]\n{\"prompt\": 3}\n").isEmpty());
  }

  @Test
  void shouldCountAPassForEachLabelOfSeveralTokens() {
    ChoiceRequest request =
        new ChoiceRequest(
            0,
            TokenIds.of(5, 6, 7),
            List.of(TokenIds.of(1), TokenIds.of(2, 3), TokenIds.of(2, 4, 5)));
    assertEquals(new Lengths(3, 3, 1), ChosenLabelSteps.lengths(request));
  }

  @Test
  void shouldReadNoMoreOfRefusedRowsThanOfOthers() throws IOException {
    Path file = Files.writeString(folder.resolve("bad.jsonl"), "{\"prompt\": 3}\n".repeat(1000));
    List<BadRow> refused = new ArrayList<>();
    assertTrue(sample(file, refused).isEmpty());
    assertEquals(256, refused.size());
  }

  @Test
  void shouldLookBehindManyRefusedRows() throws IOException, RefusedException {
    String bad = "{\"prompt\": 3}\n".repeat(20_001);
    Path file = Files.writeString(folder.resolve("late.jsonl"), bad + equalRows(3));
    assertEquals(3, JobLengths.read(file, Optional.empty(), 5).requests().orElseThrow());
  }

  private static String equalRows(int count) {
    return IntStream.range(0, count)
        .mapToObj(row -> "{\"id\": %d, \"prompt\": \"%05d\"}\n".formatted(100_000 + row, row))
        .collect(Collectors.joining());
  }

  private Optional<Workload> sample(String rows) throws IOException {
    return sample(Files.writeString(folder.resolve("rows.jsonl"), rows), new ArrayList<>());
  }

  private static Optional<Workload> sample(Path file, List<BadRow> refused) throws IOException {
    return JobLengths.sample(
        file,
        JsonLines.open(file),
        (source, temporary) ->
            RowReader.forGeneration(
                source, new RowDefaults(MAX_TOKENS), temporary, _ -> false, refused::add),
        JobLengths.generated(new ByteEncoder()));
  }
}
