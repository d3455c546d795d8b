package dev.offload.jobs.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * All that a report tells of a job. Plain data: the page is made from it and from nothing else, and
 * its JSON has the names of the components, with underscores. Shares are 0 to 1.
 *
 * @param job what was asked for
 * @param machine what it ran on
 * @param rows what became of the rows
 * @param work what this start of the job did
 * @param lanes busy share of each lane, the busiest first
 * @param memory what lived where, and peaks
 * @param overTime how work and lanes changed over time
 * @param timeline a pass of the steady state, task by task
 * @param promptTokens lengths of prompts
 * @param outputTokens lengths of outputs; empty for labels
 * @param errors why rows were refused, the most frequent first
 * @param verdict what bounded the job
 * @param labels how right labels were
 */
@JsonInclude(JsonInclude.Include.NON_ABSENT)
public record JobReport(
    Job job,
    Machine machine,
    Rows rows,
    Work work,
    List<LaneShare> lanes,
    Memory memory,
    OverTime overTime,
    Optional<Timeline> timeline,
    Lengths promptTokens,
    Lengths outputTokens,
    List<ErrorKind> errors,
    Verdict verdict,
    Optional<LabelScores> labels) {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .addModule(new Jdk8Module())
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .build();

  public JobReport {
    lanes = List.copyOf(lanes);
    errors = List.copyOf(errors);
  }

  /** The report as JSON. */
  public String toJson() {
    try {
      return JSON.writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("plain data cannot fail to be written", e);
    }
  }

  /**
   * Reads what {@link #toJson} wrote.
   *
   * @throws JsonProcessingException if it is no such report
   */
  static JobReport fromJson(String json) throws JsonProcessingException {
    return JSON.readValue(json, JobReport.class);
  }

  /**
   * What was asked for.
   *
   * @param version of the program
   * @param command such as {@code generate}
   * @param begun when this start of the job began, ISO 8601
   * @param finished false if it was stopped before all rows were done
   * @param settings options and files, name to value, in the order to show them
   */
  public record Job(
      String version,
      String command,
      String begun,
      boolean finished,
      Map<String, String> settings) {
    public Job {
      settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
    }
  }

  /**
   * What the job ran on.
   *
   * @param device name of the device
   * @param details of it, such as its instruction set
   * @param computeUnits of the device that computed
   * @param processors of the machine
   * @param memoryBytes of the machine
   * @param system operating system
   * @param java version
   */
  public record Machine(
      String device,
      String details,
      int computeUnits,
      int processors,
      long memoryBytes,
      String system,
      String java) {}

  /**
   * What became of the rows.
   *
   * @param answered rows in the output
   * @param refused rows in the error file
   * @param resumed those of both that were finished before this start
   * @param resumedRefused those of the refused that were refused before this start
   */
  public record Rows(long answered, long refused, long resumed, long resumedRefused) {
    /** Rows that this start finished. */
    long here() {
      return answered + refused - resumed;
    }
  }

  /**
   * What this start of the job did.
   *
   * @param passes sweeps through the model
   * @param promptTokens computed
   * @param sharedPromptTokens not computed, as another row with the same beginning was
   * @param generatedTokens chosen; of labels, places in them that were scored
   * @param recomputedTokens computed again after sequences had to give up their cache
   * @param preemptions how often one had to
   * @param swappedBytes bytes of cache copied to host memory or a file and back instead, both
   *     counted
   * @param averageSequences sequences per pass
   * @param mostSequences in any pass
   * @param roomForSequences most that the plan allows
   * @param wallSeconds from the first token in to the last token out
   * @param prefillSeconds time of the passes that computed prompt tokens, in proportion to those
   * @param decodeSeconds the rest of the time in passes
   * @param choosingSeconds time, part of both, in which tokens were chosen and lanes were idle
   * @param rowWaitSeconds time between passes in which the engine waited for rows to be read
   * @param totalTokensPerSecond prompt and generated tokens over the wall time
   * @param prefillTokensPerSecond prompt tokens over the time of prefill
   * @param decodeTokensPerSecond generated tokens over the time of decoding
   * @param diskBytes read from weight files during passes
   */
  public record Work(
      long passes,
      long promptTokens,
      long sharedPromptTokens,
      long generatedTokens,
      long recomputedTokens,
      long preemptions,
      long swappedBytes,
      double averageSequences,
      int mostSequences,
      int roomForSequences,
      double wallSeconds,
      double prefillSeconds,
      double decodeSeconds,
      double choosingSeconds,
      double rowWaitSeconds,
      double totalTokensPerSecond,
      double prefillTokensPerSecond,
      double decodeTokensPerSecond,
      long diskBytes) {}

  /**
   * How busy a lane was.
   *
   * @param lane such as {@code gpu}
   */
  public record LaneShare(String lane, double busyShare) {}

  /**
   * What lived where.
   *
   * @param computedIn number format of matrices
   * @param weights bytes of weights by home
   * @param cache bytes of the KV cache by home
   * @param ringBytes device memory through which weights streamed
   * @param stagingBytes host memory through which weights came from files
   * @param microBatches of a pass
   * @param microBatchTokens most tokens of one
   * @param device peak and budget of device memory
   * @param host peak and budget of pinned host memory
   */
  public record Memory(
      String computedIn,
      Homes weights,
      Homes cache,
      long ringBytes,
      long stagingBytes,
      int microBatches,
      int microBatchTokens,
      Peak device,
      Peak host) {}

  /** Bytes by home. */
  public record Homes(long device, long host, long disk) {
    /** Bytes in all. */
    long total() {
      return device + host + disk;
    }
  }

  /** Most bytes in use at any time, and how many were allowed. */
  public record Peak(long bytes, long budgetBytes) {}

  /**
   * How things changed: one value for each interval of the wall time, the last of which may be
   * shorter.
   *
   * @param intervalSeconds length of an interval
   * @param wallSeconds length of all together
   * @param prefillTokensPerSecond prompt tokens per second of wall time
   * @param decodeTokensPerSecond generated tokens per second of wall time
   * @param sequences in flight, on average
   * @param busyShares of each lane, in the order of {@link JobReport#lanes}
   */
  public record OverTime(
      double intervalSeconds,
      double wallSeconds,
      List<Double> prefillTokensPerSecond,
      List<Double> decodeTokensPerSecond,
      List<Double> sequences,
      Map<String, List<Double>> busyShares) {
    public OverTime {
      prefillTokensPerSecond = List.copyOf(prefillTokensPerSecond);
      decodeTokensPerSecond = List.copyOf(decodeTokensPerSecond);
      sequences = List.copyOf(sequences);
      busyShares = Collections.unmodifiableMap(new LinkedHashMap<>(busyShares));
    }
  }

  /**
   * A pass task by task.
   *
   * @param pass its number, from 1
   * @param sequences in flight
   * @param tokens computed, of prompts and of outputs
   * @param promptTokens those of them that belong to prompts
   * @param nanos its length
   * @param tasks in the order in which they began
   */
  public record Timeline(
      long pass, int sequences, int tokens, int promptTokens, long nanos, List<TaskSpan> tasks) {
    public Timeline {
      tasks = List.copyOf(tasks);
    }
  }

  /**
   * A task on its lane.
   *
   * @param beginNanos since the pass began
   * @param endNanos since then
   */
  public record TaskSpan(String lane, String task, long beginNanos, long endNanos) {}

  /**
   * How long prompts or outputs were, in tokens.
   *
   * @param count how many there were; 0: everything else is 0
   * @param median at most this many tokens in half of them; like the next two exact to a bucket
   * @param percentile90 at most this many in 90 %
   * @param percentile99 at most this many in 99 %
   * @param bucketTokens width of a bucket
   * @param firstBucket smallest length that the first bucket counts
   * @param counts of each bucket
   */
  public record Lengths(
      long count,
      long sum,
      int shortest,
      int longest,
      int median,
      int percentile90,
      int percentile99,
      int bucketTokens,
      int firstBucket,
      List<Long> counts) {
    public Lengths {
      counts = List.copyOf(counts);
    }
  }

  /**
   * Rows that were refused for the same kind of reason.
   *
   * @param kind the reason with what differs from row to row left out
   * @param firstLine where the first of them stands
   * @param example the first one's reason
   */
  public record ErrorKind(String kind, long count, long firstLine, String example) {}
}
