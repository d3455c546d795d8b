package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.jobs.rows.JsonLines;
import dev.offload.jobs.rows.Row;
import dev.offload.jobs.rows.RowDefaults;
import dev.offload.jobs.rows.RowReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.ToIntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 10, unit = TimeUnit.MINUTES)
class RowFeedTest {
  private static final int ROWS = 300;

  @TempDir private Path folder;
  private final CountDownLatch goOn = new CountDownLatch(1);

  @Test
  void shouldSayWhetherMoreIsThereWithoutWaitingForASlowSource() throws IOException {
    try (RowFeed<Row, Long> feed = feed(200, _ -> 10)) {
      feed.start();
      for (long row = 0; row < 200; row++) {
        assertEquals(Optional.of(row), feed.next());
      }
      assertFalse(feed.hasMoreNow(), "the next row is not encoded yet");
      goOn.countDown();
      for (long row = 200; row < ROWS; row++) {
        assertEquals(Optional.of(row), feed.next());
      }
      assertEquals(Optional.empty(), feed.next());
      assertTrue(feed.hasMoreNow(), "that there are no more is known");
    }
  }

  @Test
  void shouldLoseNothingWhenAskedWhetherThereIsMore() throws IOException {
    goOn.countDown();
    try (RowFeed<Row, Long> feed = feed(0, _ -> 10)) {
      feed.start();
      for (long row = 0; row < ROWS; row++) {
        feed.hasMoreNow();
        feed.hasMoreNow();
        assertEquals(Optional.of(row), feed.next());
      }
      assertEquals(Optional.empty(), feed.next());
    }
  }

  @Test
  void shouldReadLargeRowsOneAfterTheOther() throws IOException {
    goOn.countDown();
    try (RowFeed<Row, Long> feed = feed(0, _ -> Integer.MAX_VALUE)) {
      feed.start();
      for (long row = 0; row < ROWS; row++) {
        assertTrue(feed.rowsRead() <= row + 1, () -> feed.rowsRead() + " rows are read");
        assertEquals(Optional.of(row), feed.next());
      }
      assertEquals(Optional.empty(), feed.next());
    }
  }

  /** Rows are asked for by their number; the thread that reads waits before one of them. */
  private RowFeed<Row, Long> feed(long waitsBefore, ToIntFunction<Long> promptTokens)
      throws IOException {
    Path file = Files.writeString(folder.resolve("in.jsonl"), "{\"prompt\":\"x\"}\n".repeat(ROWS));
    RowReader<Row> reader =
        RowReader.forGeneration(
            JsonLines.open(file),
            new RowDefaults(1),
            folder,
            _ -> false,
            bad -> {
              throw new AssertionError(bad.toString());
            });
    return new RowFeed<>(
        reader,
        row -> {
          if (row.key().row() == waitsBefore) {
            await();
          }
          return row.key().row();
        },
        promptTokens,
        _ -> {});
  }

  private void await() {
    try {
      goOn.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
