package dev.offload.jobs.report;

import dev.offload.jobs.report.Axis.Tick;
import dev.offload.jobs.report.Plot.Point;
import dev.offload.planner.Recommendation.CurvePoint;
import java.util.ArrayList;
import java.util.List;

/** Throughput against sequences in flight, and the point past which more of them gain nothing. */
final class CurveSection {
  /** Throughput that counts as all there is to gain. */
  private static final double ENOUGH = 0.98;

  private static final int MOST_TICKS = 6;

  private CurveSection() {}

  /**
   * Adds the chart.
   *
   * @param chosen sequences in flight of the plan
   */
  static void add(Html html, List<CurvePoint> curve, int chosen) {
    if (curve.size() < 2) {
      return;
    }
    CurvePoint knee = knee(curve);
    html.raw("<section>\n<h2>Sequences in flight</h2>\n<p class=\"note\">");
    html.text(
        "Tokens per second of the steady state with the best placement for each number of"
            + " sequences. Past %s more of them gain nothing; the plan has %s."
                .formatted(Words.count(knee.sequences()), Words.count(chosen)));
    html.raw("</p>\n");
    double most = curve.stream().mapToDouble(CurvePoint::tokensPerSecond).max().orElse(0);
    double low = Math.log(curve.getFirst().sequences());
    double high = Math.log(curve.getLast().sequences());
    Plot plot = new Plot(axis(curve, low, high), Axis.ofNumbers(most, 4));
    List<Point> points = new ArrayList<>();
    for (CurvePoint point : curve) {
      points.add(at(point, low));
    }
    plot.line("decode", points);
    for (CurvePoint point : curve) {
      plot.dot(
          point.equals(knee) ? "chosen" : lane(point.bottleneck()),
          at(point, low),
          "%s: %s tokens/s, bounded by %s"
              .formatted(
                  Words.count(point.sequences(), "sequence"),
                  Words.number(point.tokensPerSecond()),
                  point.bottleneck()));
    }
    plot.addTo(
        html,
        "middle",
        "Throughput against sequences in flight, up to %s tokens per second"
            .formatted(Words.number(most)));
    html.raw("</section>\n");
  }

  /** The first that gives about all there is. */
  private static CurvePoint knee(List<CurvePoint> curve) {
    double most = curve.stream().mapToDouble(CurvePoint::tokensPerSecond).max().orElse(0);
    return curve.stream()
        .filter(point -> point.tokensPerSecond() >= ENOUGH * most)
        .findFirst()
        .orElse(curve.getLast());
  }

  private static Point at(CurvePoint point, double low) {
    return new Point(Math.log(point.sequences()) - low, point.tokensPerSecond());
  }

  private static String lane(String bottleneck) {
    return LaneSection.words(bottleneck).isEmpty() ? "idle" : bottleneck;
  }

  private static Axis axis(List<CurvePoint> curve, double low, double high) {
    List<Tick> ticks = new ArrayList<>();
    int step = Math.max(1, Math.ceilDiv(curve.size() - 1, MOST_TICKS - 1));
    for (int i = 0; i < curve.size(); i += step) {
      int sequences = curve.get(i).sequences();
      ticks.add(new Tick((Math.log(sequences) - low) / (high - low), Words.count(sequences)));
    }
    return new Axis(high - low, ticks);
  }
}
