package dev.offload.jobs;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.offload.engine.PassListener;
import dev.offload.planner.LaneQueue;
import dev.offload.planner.Task;
import dev.offload.planner.TaskNames;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;

/**
 * Writes what every lane did in every pass as a file that Perfetto and Chrome show: a row of
 * passes, and under it a row for each queue of each lane. Times are in microseconds since the trace
 * began. A trace that cannot be written any more says so and ends; the job goes on.
 *
 * <p>Source of the format: Google, "Trace Event Format".
 */
final class ChromeTrace implements PassListener, AutoCloseable {
  private static final System.Logger LOGGER = System.getLogger(ChromeTrace.class.getName());
  private static final int PROCESS = 1;
  private static final int PASSES = 0;

  private final Path file;
  private final JsonGenerator json;
  private final Map<LaneQueue, Integer> rows = new EnumMap<>(LaneQueue.class);
  private final long origin = System.nanoTime();
  private boolean ended;

  private ChromeTrace(Path file, JsonGenerator json) {
    this.file = file;
    this.json = json;
  }

  /**
   * Begins a trace.
   *
   * @throws RefusedException if the file exists or cannot be written
   */
  static ChromeTrace create(Path file) throws RefusedException {
    try {
      JsonGenerator json =
          new JsonFactory()
              .createGenerator(
                  new BufferedOutputStream(
                      Files.newOutputStream(file, StandardOpenOption.CREATE_NEW)));
      ChromeTrace trace = new ChromeTrace(file, json);
      trace.write(trace::begin);
      return trace;
    } catch (FileAlreadyExistsException e) {
      throw new RefusedException(
          "--trace " + file + " exists; name another file, or delete it first", e);
    } catch (IOException e) {
      throw new RefusedException("--trace " + file + " cannot be written: " + e.getMessage(), e);
    }
  }

  @Override
  public void done(Task task, long beginNanos, long endNanos) {
    if (endNanos > beginNanos) {
      write(
          () -> {
            beginSpan(TaskNames.of(task), rows.get(LaneQueue.of(task)), beginNanos, endNanos);
            json.writeNumberField("bytes", task.bytes());
            json.writeNumberField("flops", task.flops());
            endSpan();
          });
    }
  }

  @Override
  public void passed(
      long pass, int sequences, int tokens, int promptTokens, long beginNanos, long endNanos) {
    write(
        () -> {
          beginSpan("pass " + pass, PASSES, beginNanos, endNanos);
          json.writeNumberField("sequences", sequences);
          json.writeNumberField("tokens", tokens);
          json.writeNumberField("prompt tokens", promptTokens);
          endSpan();
        });
  }

  @Override
  public void close() {
    ended = true;
    try {
      json.close();
    } catch (IOException e) {
      warn(e);
    }
  }

  private void begin() throws IOException {
    json.writeStartObject();
    json.writeStringField("displayTimeUnit", "ms");
    json.writeArrayFieldStart("traceEvents");
    name("process_name", PASSES, "offload");
    name("thread_name", PASSES, "passes");
    for (LaneQueue queue : LaneQueue.values()) {
      String lane = queue.lane().name().toLowerCase(Locale.ROOT);
      String cargo = queue.name().toLowerCase(Locale.ROOT).replace('_', ' ');
      rows.put(queue, PASSES + 1 + rows.size());
      name("thread_name", rows.get(queue), lane + ": " + cargo);
    }
  }

  private void name(String what, int row, String name) throws IOException {
    json.writeStartObject();
    json.writeStringField("ph", "M");
    json.writeStringField("name", what);
    json.writeNumberField("pid", PROCESS);
    json.writeNumberField("tid", row);
    json.writeObjectFieldStart("args");
    json.writeStringField("name", name);
    endSpan();
  }

  /** Leaves the span's arguments open. */
  private void beginSpan(String name, int row, long beginNanos, long endNanos) throws IOException {
    json.writeStartObject();
    json.writeStringField("ph", "X");
    json.writeStringField("name", name);
    json.writeNumberField("pid", PROCESS);
    json.writeNumberField("tid", row);
    json.writeNumberField("ts", (beginNanos - origin) / 1e3);
    json.writeNumberField("dur", (endNanos - beginNanos) / 1e3);
    json.writeObjectFieldStart("args");
  }

  private void endSpan() throws IOException {
    json.writeEndObject();
    json.writeEndObject();
    json.writeRaw('\n');
  }

  private void write(Step step) {
    if (ended) {
      return;
    }
    try {
      step.run();
    } catch (IOException e) {
      ended = true;
      warn(e);
    }
  }

  private void warn(IOException why) {
    LOGGER.log(Level.WARNING, "--trace {0} is not complete: {1}", file, why.getMessage());
  }

  /** Something that writes. */
  private interface Step {
    void run() throws IOException;
  }
}
