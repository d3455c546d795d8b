package dev.offload.jobs.report;

import dev.offload.jobs.report.Axis.Tick;
import dev.offload.jobs.report.Plot.Point;
import dev.offload.planner.Recommendation.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The roofline of the operations of a pass: arithmetic per byte against arithmetic per second. */
final class RooflineSection {
  private RooflineSection() {}

  /**
   * Adds chart and table.
   *
   * @param peakFlops arithmetic per second of large matrix products
   * @param bytesPerSecond of device memory
   */
  static void add(Html html, List<Operation> operations, double peakFlops, double bytesPerSecond) {
    List<Operation> shown =
        operations.stream().filter(o -> o.flops() > 0 && o.bytes() > 0 && o.seconds() > 0).toList();
    if (shown.isEmpty()) {
      return;
    }
    html.raw("<section>\n<h2>Roofline</h2>\n<p class=\"note\">");
    html.text(
        "Operations of one pass on the device. Left of the bend the memory of %s/s bounds them,"
            .formatted(Words.bytes((long) bytesPerSecond)));
    html.text(" right of it arithmetic, %s.".formatted(flops(peakFlops))).raw("</p>\n");
    chart(html, shown, peakFlops, bytesPerSecond);
    table(html, shown);
    html.raw("</section>\n");
  }

  private static void chart(
      Html html, List<Operation> operations, double peakFlops, double bytesPerSecond) {
    double bend = peakFlops / bytesPerSecond;
    double left = bend / 10;
    double right = bend * 10;
    for (Operation operation : operations) {
      left = Math.min(left, intensity(operation));
      right = Math.max(right, intensity(operation));
    }
    double low = Math.floor(Math.log10(left));
    double high = Math.ceil(Math.log10(right));
    double bottom = Math.floor(Math.log10(bytesPerSecond * left));
    for (Operation operation : operations) {
      bottom = Math.min(bottom, Math.floor(Math.log10(operation.flops() / operation.seconds())));
    }
    double top = Math.ceil(Math.log10(peakFlops) + 0.01);
    Plot plot =
        new Plot(
            decades(low, high, value -> power(value)),
            decades(
                bottom,
                top,
                value -> flops(Math.pow(10, value)).replace("FLOP/s", "").replace(" ", "")));
    double roofLeft = Math.max(low, bottom - Math.log10(bytesPerSecond));
    plot.line(
        "soft",
        List.of(
            new Point(roofLeft - low, roofLeft + Math.log10(bytesPerSecond) - bottom),
            new Point(Math.log10(bend) - low, Math.log10(peakFlops) - bottom),
            new Point(high - low, Math.log10(peakFlops) - bottom)));
    for (Operation operation : operations) {
      double rate = operation.flops() / operation.seconds();
      plot.dot(
          intensity(operation) < bend ? "h2d" : "gpu",
          new Point(
              Math.log10(intensity(operation)) - low, Math.min(Math.log10(rate), top) - bottom),
          "%s: %s at %s operations per byte"
              .formatted(operation.name(), flops(rate), Words.number(intensity(operation))));
    }
    plot.addTo(html, "middle", "Roofline: arithmetic per second against arithmetic per byte");
  }

  private static void table(Html html, List<Operation> operations) {
    html.raw("<div class=\"wide\"><table class=\"facts\">\n<thead><tr><th>operation</th>");
    html.raw("<th>time</th><th>rate</th></tr></thead>\n<tbody>\n");
    for (Operation operation : operations) {
      html.raw("<tr>").element("td", operation.name());
      html.element("td", Words.time(operation.seconds()));
      html.element(
              "td",
              "%s, %s/s, %s operations per byte"
                  .formatted(
                      flops(operation.flops() / operation.seconds()),
                      Words.bytes((long) (operation.bytes() / operation.seconds())),
                      Words.number(intensity(operation))))
          .raw("</tr>\n");
    }
    html.raw("</tbody></table></div>\n");
  }

  private static double intensity(Operation operation) {
    return operation.flops() / operation.bytes();
  }

  private interface TickText {
    String of(double power);
  }

  /** One tick per power of ten, or every second or third. */
  private static Axis decades(double from, double to, TickText text) {
    List<Tick> ticks = new ArrayList<>();
    int step = to - from > 5 ? 2 : 1;
    for (double power = from; power <= to; power += step) {
      ticks.add(new Tick((power - from) / (to - from), text.of(power)));
    }
    return new Axis(to - from, ticks);
  }

  private static String power(double value) {
    return Words.number(Math.pow(10, value));
  }

  /** Such as {@code 42 TFLOP/s}. */
  static String flops(double perSecond) {
    String[] units = {"", "k", "M", "G", "T", "P", "E"};
    int unit = 0;
    double value = perSecond;
    while (value >= 1000 && unit < units.length - 1) {
      value /= 1000;
      unit++;
    }
    return String.format(Locale.ROOT, "%s %sFLOP/s", Words.number(value), units[unit]);
  }
}
