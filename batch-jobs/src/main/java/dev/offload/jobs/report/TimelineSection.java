package dev.offload.jobs.report;

import dev.offload.jobs.report.Axis.Tick;
import dev.offload.jobs.report.JobReport.TaskSpan;
import dev.offload.jobs.report.JobReport.Timeline;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** One pass: what each lane did when, and what took most of the time. */
final class TimelineSection {
  /** From the file to the logits. */
  private static final List<String> LANES = List.of("disk", "h2d", "gpu", "d2h", "cpu");

  /** What is narrower than this share of the pass is drawn as one with its neighbours. */
  private static final double NARROW = 0.001;

  private static final int MOST_KINDS = 8;

  private TimelineSection() {}

  /** A measured pass. */
  static void add(Html html, Timeline pass) {
    add(html, "One pass", "Pass %s, a steady one".formatted(Words.count(pass.pass())), pass);
  }

  /**
   * Any pass.
   *
   * @param which pass it is, the beginning of a sentence
   */
  static void add(Html html, String title, String which, Timeline pass) {
    html.raw("<section>\n").element("h2", title).raw("\n<p class=\"note\">");
    html.text(
        "%s: %s, %s of them of prompts, for %s, in %s."
            .formatted(
                which,
                Words.count(pass.tokens(), "token"),
                pass.promptTokens() == 0 ? "none" : Words.count(pass.promptTokens()),
                Words.count(pass.sequences(), "sequence"),
                Words.time(pass.nanos() / 1e9)));
    html.raw("</p>\n");
    List<Row> rows = lanes(pass).map(lane -> Row.of(lane, lane, pass)).toList();
    if (!rows.isEmpty()) {
      chart(html, rows, pass.nanos());
      kinds(html, pass);
    }
    html.raw("</section>\n");
  }

  /** A measured pass above the same one as it was forecast, lane by lane. */
  static void compare(Html html, Timeline measured, Timeline predicted) {
    html.raw("<section>\n<h2>One pass</h2>\n<p class=\"note\">");
    html.text(
        "Pass %s, of %s: measured %s, forecast %s."
            .formatted(
                Words.count(measured.pass()),
                Words.count(measured.tokens(), "token"),
                Words.time(measured.nanos() / 1e9),
                Words.time(predicted.nanos() / 1e9)));
    html.raw("</p>\n");
    List<Row> rows =
        Stream.concat(lanes(measured), lanes(predicted))
            .distinct()
            .sorted(Comparator.comparing(LANES::indexOf))
            .flatMap(
                lane ->
                    Stream.of(Row.of(lane, lane, measured), Row.of("forecast", lane, predicted)))
            .toList();
    chart(html, rows, Math.max(measured.nanos(), predicted.nanos()));
    html.raw("</section>\n");
  }

  private static Stream<String> lanes(Timeline pass) {
    return LANES.stream()
        .filter(lane -> pass.tasks().stream().anyMatch(task -> task.lane().equals(lane)));
  }

  /** A line of a chart. */
  private record Row(String name, String lane, List<TaskSpan> tasks) {
    static Row of(String name, String lane, Timeline pass) {
      return new Row(
          name, lane, pass.tasks().stream().filter(task -> task.lane().equals(lane)).toList());
    }
  }

  private static void chart(Html html, List<Row> rows, long nanos) {
    List<Tick> names = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      names.add(new Tick(1 - (i + 0.5) / rows.size(), rows.get(i).name()));
    }
    Axis x = Axis.ofSeconds(nanos / 1e9, 4);
    Plot plot = new Plot(x, new Axis(rows.size(), names));
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      double middle = rows.size() - i - 0.5;
      boolean odd = false;
      for (Box box : merged(row.tasks(), nanos)) {
        plot.span(
            row.lane() + (odd ? " odd" : ""),
            box.begin / 1e9,
            box.end / 1e9,
            middle - 0.36,
            middle + 0.36,
            box.title());
        odd = !odd;
      }
    }
    plot.addTo(
        html,
        "passes lanes" + rows.size(),
        "What the lanes %s did during a pass of %s"
            .formatted(
                rows.stream().map(Row::name).collect(Collectors.joining(", ")),
                Words.time(nanos / 1e9)));
  }

  /** Neighbours that are too narrow to be told apart become one box. */
  private static List<Box> merged(List<TaskSpan> tasks, long passNanos) {
    double narrow = NARROW * passNanos;
    List<Box> boxes = new ArrayList<>();
    for (TaskSpan task : tasks) {
      Box last = boxes.isEmpty() ? null : boxes.getLast();
      boolean joins =
          last != null
              && last.end - last.begin < narrow
              && task.endNanos() - task.beginNanos() < narrow
              && task.beginNanos() - last.end < narrow;
      if (joins) {
        last.end = Math.max(last.end, task.endNanos());
        last.tasks++;
      } else {
        boxes.add(new Box(task));
      }
    }
    return boxes;
  }

  private static void kinds(Html html, Timeline pass) {
    Map<String, String> lanes = new HashMap<>();
    Map<String, Long> nanos = new LinkedHashMap<>();
    for (TaskSpan task : pass.tasks()) {
      String kind = task.lane() + " · " + kind(task.task());
      lanes.put(kind, task.lane());
      nanos.merge(kind, task.endNanos() - task.beginNanos(), Long::sum);
    }
    html.raw("<h3>What took most of it</h3>\n");
    Bars bars = Bars.begin(html);
    Comparator<Map.Entry<String, Long>> byTime = Map.Entry.comparingByValue();
    nanos.entrySet().stream()
        .sorted(byTime.reversed().thenComparing(Map.Entry.comparingByKey()))
        .limit(MOST_KINDS)
        .forEach(
            kind ->
                bars.line(
                    lanes.get(kind.getKey()),
                    kind.getKey(),
                    (double) kind.getValue() / pass.nanos(),
                    Words.time(kind.getValue() / 1e9)));
    bars.end();
  }

  /** What tasks of different layers, experts and micro-batches have in common. */
  static String kind(String task) {
    String kind = task.replaceAll(",? (layer|micro-batch|from row|experts?) .*", "");
    return kind.replaceAll("^experts? .*", "experts")
        .replaceAll("^(read|copy|expand)$", "$1 experts");
  }

  /** One or several tasks as they are drawn. */
  private static final class Box {
    private final String task;
    private final long begin;
    private long end;
    private int tasks = 1;

    Box(TaskSpan task) {
      this.task = task.task();
      this.begin = task.beginNanos();
      this.end = task.endNanos();
    }

    String title() {
      String time = Words.time((end - begin) / 1e9);
      return tasks == 1
          ? task + ": " + time
          : "%s and %d more: %s".formatted(task, tasks - 1, time);
    }
  }
}
