package dev.offload.jobs.plan;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.offload.jobs.plan.Outcome.Predicted;
import dev.offload.jobs.plan.Outcome.Unknown;
import dev.offload.jobs.rows.CheckedFields;
import dev.offload.jobs.rows.JsonFile;
import dev.offload.jobs.rows.RowException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** Published throughputs beside what is predicted for them, as a table or as JSON. */
public final class PublishedComparison {
  private final List<Predictor> predictors;
  private final List<Row> rows;

  private PublishedComparison(List<Predictor> predictors, List<Row> rows) {
    this.predictors = predictors;
    this.rows = rows;
  }

  /**
   * Predicts every point of a file.
   *
   * @throws RowException naming the field that is missing or out of range
   */
  public static PublishedComparison of(Path file) throws IOException, RowException {
    FlexGenPoints flexGen = new FlexGenPoints();
    List<Predictor> predictors =
        List.of(flexGen.loop(), flexGen.costModel(), new OurPoints(file.resolveSibling("shapes")));
    List<Row> rows = new ArrayList<>();
    for (PublishedPoint point : PublishedPoint.all(CheckedFields.of(JsonFile.read(file)))) {
      rows.add(new Row(point, predictors.stream().map(each -> each.predict(point)).toList()));
    }
    return new PublishedComparison(predictors, List.copyOf(rows));
  }

  /** One object; scripts rely on its field names. */
  public String toJson() {
    ObjectNode json = new JsonMapper().createObjectNode();
    ArrayNode points = json.putArray("points");
    for (Row row : rows) {
      PublishedPoint point = row.point();
      ObjectNode each = points.addObject();
      each.put("system", point.system());
      each.put("model", point.model());
      each.put("gpu", point.gpu());
      each.put("format", point.format().orElse(null));
      each.put("prompt_tokens", point.promptTokens());
      each.put("generated_tokens", point.generatedTokens());
      each.put("published_tokens_per_s", point.tokensPerSecond());
      for (int i = 0; i < predictors.size(); i++) {
        put(each, predictors.get(i).field(), row.outcomes().get(i), point);
      }
    }
    return json.toString();
  }

  private static void put(ObjectNode json, String field, Outcome outcome, PublishedPoint point) {
    switch (outcome) {
      case Predicted predicted -> {
        ObjectNode each = json.putObject(field);
        each.put("tokens_per_s", predicted.tokensPerSecond());
        each.put("ratio", predicted.tokensPerSecond() / point.tokensPerSecond());
        each.put("bound_by", predicted.boundBy().isEmpty() ? null : predicted.boundBy());
      }
      case Unknown unknown -> {
        json.putNull(field);
        json.put(field + "_reason", unknown.reason());
      }
    }
  }

  /** For people: a line per point, and below it why something is not predicted. */
  public void print(PrintWriter out) {
    out.printf(
        "%-14s %-13s %-6s %-8s %6s %6s %9s",
        "system", "model", "gpu", "format", "prompt", "output", "published");
    predictors.forEach(each -> out.printf(" %10s %6s", each.title(), "ratio"));
    out.printf("  %s%n", "bound by");
    rows.forEach(row -> print(out, row));
    TreeSet<String> reasons = new TreeSet<>();
    for (Row row : rows) {
      for (Outcome outcome : row.outcomes()) {
        if (outcome instanceof Unknown unknown) {
          reasons.add(
              "%s, %s: %s".formatted(row.point().system(), row.point().model(), unknown.reason()));
        }
      }
    }
    if (!reasons.isEmpty()) {
      out.printf("%nNot predicted:%n");
      reasons.forEach(reason -> out.printf("  %s%n", reason));
    }
  }

  private static void print(PrintWriter out, Row row) {
    PublishedPoint point = row.point();
    out.printf(
        "%-14s %-13s %-6s %-8s %6d %6d %9.2f",
        point.system(),
        point.model(),
        point.gpu(),
        point.format().map(text -> text.split("[ ,]", 2)[0]).orElse("-"),
        point.promptTokens(),
        point.generatedTokens(),
        point.tokensPerSecond());
    String boundBy = "";
    for (Outcome outcome : row.outcomes()) {
      switch (outcome) {
        case Predicted predicted -> {
          double ratio = predicted.tokensPerSecond() / point.tokensPerSecond();
          out.printf(" %10.2f %6.2f", predicted.tokensPerSecond(), ratio);
          if (!predicted.boundBy().isEmpty()) {
            boundBy += (boundBy.isEmpty() ? "" : "; ours: ") + predicted.boundBy();
          }
        }
        case Unknown _ -> out.printf(" %10s %6s", "-", "-");
      }
    }
    out.printf("  %s%n", boundBy);
  }

  private record Row(PublishedPoint point, List<Outcome> outcomes) {}
}
