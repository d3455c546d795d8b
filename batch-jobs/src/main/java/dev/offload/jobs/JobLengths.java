package dev.offload.jobs;

import dev.offload.jobs.rows.Incoming;
import dev.offload.jobs.rows.JsonLines;
import dev.offload.jobs.rows.Prompt;
import dev.offload.jobs.rows.PromptEncoder;
import dev.offload.jobs.rows.Row;
import dev.offload.jobs.rows.RowDefaults;
import dev.offload.jobs.rows.RowException;
import dev.offload.jobs.rows.RowReader;
import dev.offload.jobs.rows.RowSource;
import dev.offload.planner.Workload;
import dev.offload.planner.Workload.Lengths;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * How long the rows of a file are: prompts as the model's tokenizer cuts them, or at so many
 * characters per token where there is none; outputs as long as the rows allow.
 */
final class JobLengths {
  /** Rows whose prompts are looked at; of the others only how many there are counts. */
  private static final int SAMPLE = 20_000;

  /** Rows that a job is planned by before it begins. */
  private static final int FIRST_ROWS = 256;

  /** Of English text with common tokenizers. */
  private static final int CHARACTERS_PER_TOKEN = 4;

  /** Lengths within such a factor are taken together. */
  private static final double STEP = Math.pow(2, 1 / 4.0);

  private final Map<List<Integer>, Sum> sums = new TreeMap<>(JobLengths::compare);
  private long looked;
  private long counted;

  /** Why the first of the rows that cannot be worked on cannot. */
  private Optional<String> firstReason = Optional.empty();

  private JobLengths() {}

  /**
   * How long a row is.
   *
   * @param <R> what rows are read as
   */
  interface Measure<R> {
    /**
     * The tokens of its prompt, those that are generated for it, and how often they are.
     *
     * @throws RowException if the row cannot be worked on
     */
    Lengths of(R row) throws RowException;
  }

  /**
   * Checks rows.
   *
   * @param <R> what rows are read as
   */
  interface Reader<R extends Incoming> {
    /**
     * A reader of these rows.
     *
     * @param folder where temporary files may go
     */
    RowReader<R> read(RowSource rows, Path folder);
  }

  /**
   * Reads a file.
   *
   * @param model cuts prompts into tokens; absent: they are estimated
   * @param maxTokens of rows that do not say
   * @throws RefusedException if no row of the file can be worked on
   */
  static Workload read(Path file, Optional<PromptEncoder> model, int maxTokens)
      throws IOException, RefusedException {
    JobLengths lengths = new JobLengths();
    Path folder = Path.of(System.getProperty("java.io.tmpdir"));
    try (RowReader<Row> rows =
        RowReader.forGeneration(
            JsonLines.open(file),
            new RowDefaults(maxTokens),
            folder,
            _ -> false,
            bad -> lengths.firstReason = lengths.firstReason.or(() -> Optional.of(bad.reason())))) {
      Measure<Row> measure = row -> generated(row, promptTokens(row.prompt(), model));
      for (Optional<Row> row = rows.next(); row.isPresent(); row = rows.next()) {
        if (lengths.looked < SAMPLE) {
          lengths.add(row.get(), measure);
        } else {
          lengths.counted += row.get().sampling().choices();
        }
      }
    }
    if (lengths.sums.isEmpty()) {
      throw new RefusedException(
          "--job %s has no row that can be worked on%s"
              .formatted(file, lengths.firstReason.map(why -> "; the first: " + why).orElse("")));
    }
    return lengths.workload(lengths.counted);
  }

  /**
   * What the first rows of a file say of all: their lengths, and how many there are if the others
   * take as many bytes. A large file is not read to its end.
   *
   * @param file of the rows
   * @param rows the same, opened; closed by this
   * @param reader checks them
   * @param measure how long each is
   * @return empty if none of them can be worked on
   */
  static <R extends Incoming> Optional<Workload> sample(
      Path file, RowSource rows, Reader<R> reader, Measure<R> measure) throws IOException {
    JobLengths lengths = new JobLengths();
    Path folder = Path.of(System.getProperty("java.io.tmpdir"));
    FirstRows first = new FirstRows(rows, FIRST_ROWS);
    try (RowReader<R> checked = reader.read(first, folder)) {
      for (Optional<R> row = checked.next(); row.isPresent(); row = checked.next()) {
        lengths.add(row.get(), measure);
      }
      if (lengths.sums.isEmpty()) {
        return Optional.empty();
      }
      double read = (double) first.bytesRead() / Files.size(file);
      return Optional.of(
          lengths.workload(Math.max(lengths.counted, Math.round(lengths.counted / read))));
    }
  }

  /**
   * How rows to generate for are measured.
   *
   * @param model cuts prompts into tokens
   */
  static Measure<Row> generated(PromptEncoder model) {
    return row -> generated(row, promptTokens(row.prompt(), Optional.of(model)));
  }

  private Workload workload(long requests) {
    return new Workload(
        sums.values().stream().map(Sum::lengths).toList(), OptionalLong.of(requests));
  }

  private <R> void add(R row, Measure<R> measure) {
    looked++;
    try {
      Lengths of = measure.of(row);
      counted += of.count();
      sums.computeIfAbsent(
              List.of(bucket(of.promptTokens()), bucket(of.generatedTokens())), _ -> new Sum())
          .add(of);
    } catch (RowException e) { // the job refuses it
    }
  }

  private static Lengths generated(Row row, int promptTokens) {
    return new Lengths(
        Math.max(1, promptTokens), row.sampling().maxTokens(), row.sampling().choices());
  }

  /**
   * Tokens of a prompt.
   *
   * @param model cuts it into tokens; absent: they are estimated
   */
  static int promptTokens(Prompt prompt, Optional<PromptEncoder> model) throws RowException {
    return switch (prompt) {
      case Prompt.Tokens tokens -> tokens.ids().size();
      case Prompt.Text text ->
          model.isPresent() ? model.get().encode(text.text()).size() : estimate(text.text());
      case Prompt.Chat chat -> {
        if (model.isPresent()) {
          yield model.get().encodeChat(chat).size();
        }
        StringBuilder all = new StringBuilder();
        chat.messages().forEach(message -> all.append(message.fields().get("content")));
        yield estimate(all.toString());
      }
    };
  }

  private static int estimate(String text) {
    return Math.ceilDiv(text.length(), CHARACTERS_PER_TOKEN);
  }

  private static int bucket(int tokens) {
    return (int) Math.floor(Math.log(tokens) / Math.log(STEP));
  }

  private static int compare(List<Integer> a, List<Integer> b) {
    int first = a.getFirst().compareTo(b.getFirst());
    return first != 0 ? first : a.getLast().compareTo(b.getLast());
  }

  /** Rows of about the same lengths. */
  private static final class Sum {
    private long prompt;
    private long generated;
    private long rows;

    void add(Lengths more) {
      prompt += more.promptTokens() * more.count();
      generated += more.generatedTokens() * more.count();
      rows += more.count();
    }

    Lengths lengths() {
      return new Lengths(
          (int) Math.max(1, Math.round((double) prompt / rows)),
          (int) Math.max(1, Math.round((double) generated / rows)),
          rows);
    }
  }
}
