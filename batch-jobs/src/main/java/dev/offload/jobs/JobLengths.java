package dev.offload.jobs;

import dev.offload.jobs.rows.JsonLines;
import dev.offload.jobs.rows.Prompt;
import dev.offload.jobs.rows.PromptEncoder;
import dev.offload.jobs.rows.Row;
import dev.offload.jobs.rows.RowDefaults;
import dev.offload.jobs.rows.RowException;
import dev.offload.jobs.rows.RowReader;
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

  private final Optional<PromptEncoder> model;
  private final Map<List<Integer>, Sum> sums = new TreeMap<>(JobLengths::compare);
  private long looked;
  private long counted;

  /** Why the first of the rows that cannot be worked on cannot. */
  private Optional<String> firstReason = Optional.empty();

  private JobLengths(Optional<PromptEncoder> model) {
    this.model = model;
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
    JobLengths lengths = new JobLengths(model);
    Path folder = Path.of(System.getProperty("java.io.tmpdir"));
    try (RowReader<Row> rows =
        RowReader.forGeneration(
            JsonLines.open(file),
            new RowDefaults(maxTokens),
            folder,
            _ -> false,
            bad -> lengths.firstReason = lengths.firstReason.or(() -> Optional.of(bad.reason())))) {
      for (Optional<Row> row = rows.next(); row.isPresent(); row = rows.next()) {
        lengths.add(row.get());
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
   * @param model cuts prompts into tokens
   * @param maxTokens of rows that do not say
   * @return empty if none of them can be worked on
   */
  static Optional<Workload> sample(Path file, PromptEncoder model, int maxTokens)
      throws IOException {
    JobLengths lengths = new JobLengths(Optional.of(model));
    Path folder = Path.of(System.getProperty("java.io.tmpdir"));
    try (RowReader<Row> rows =
        RowReader.forGeneration(
            JsonLines.open(file), new RowDefaults(maxTokens), folder, _ -> false, _ -> {})) {
      Optional<Row> row = rows.next();
      while (row.isPresent() && rows.rowsRead() < FIRST_ROWS) {
        lengths.add(row.get());
        row = rows.next();
      }
      row.ifPresent(lengths::add);
      if (lengths.sums.isEmpty()) {
        return Optional.empty();
      }
      double read = (double) rows.bytesRead() / Files.size(file);
      long requests = row.isPresent() ? Math.round(lengths.counted / read) : lengths.counted;
      return Optional.of(lengths.workload(Math.max(requests, lengths.counted)));
    }
  }

  private Workload workload(long requests) {
    return new Workload(
        sums.values().stream().map(Sum::lengths).toList(), OptionalLong.of(requests));
  }

  private void add(Row row) {
    int choices = row.sampling().choices();
    counted += choices;
    if (++looked > SAMPLE) {
      return;
    }
    try {
      int prompt = Math.max(1, promptTokens(row.prompt()));
      int generated = row.sampling().maxTokens();
      sums.computeIfAbsent(List.of(bucket(prompt), bucket(generated)), _ -> new Sum())
          .add(prompt, generated, choices);
    } catch (RowException e) {
      counted -= choices;
    }
  }

  private int promptTokens(Prompt prompt) throws RowException {
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

    void add(int promptTokens, int generatedTokens, int choices) {
      prompt += (long) promptTokens * choices;
      generated += (long) generatedTokens * choices;
      rows += choices;
    }

    Lengths lengths() {
      return new Lengths(
          (int) Math.max(1, Math.round((double) prompt / rows)),
          (int) Math.max(1, Math.round((double) generated / rows)),
          rows);
    }
  }
}
