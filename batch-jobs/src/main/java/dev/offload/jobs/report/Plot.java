package dev.offload.jobs.report;

import dev.offload.jobs.report.Axis.Tick;
import java.util.List;
import java.util.Locale;

/**
 * A chart: marks in a frame with two axes. The marks are SVG that is stretched to the width of the
 * page, the texts HTML around it, so that they have the same size on a phone and on a wall.
 */
final class Plot {
  /** Marks are drawn in this many units from left to right. */
  private static final double WIDTH = 1000;

  /** And this many from top to bottom. */
  private static final double HEIGHT = 100;

  /** A pixel of the narrowest screens is not wider than this. */
  private static final double NARROW = 4;

  private final Axis x;
  private final Axis y;
  private final StringBuilder marks = new StringBuilder();

  Plot(Axis x, Axis y) {
    this.x = x;
    this.y = y;
  }

  /**
   * The area between two lines of steps that are equally wide.
   *
   * @param stepWidth in units of the x axis; the last step may be cut off by its end
   * @param from lower line
   * @param to upper line
   */
  Plot area(String type, double stepWidth, List<Double> from, List<Double> to) {
    marks.append("<path class=\"").append(type).append("\" d=\"M0 ").append(down(to.getFirst()));
    for (int i = 0; i < to.size(); i++) {
      marks.append('V').append(down(to.get(i)));
      marks.append('H').append(along(Math.min(x.end(), (i + 1) * stepWidth)));
    }
    for (int i = from.size() - 1; i >= 0; i--) {
      marks.append('V').append(down(from.get(i)));
      marks.append('H').append(along(i * stepWidth));
    }
    marks.append("Z\"/>");
    return this;
  }

  /**
   * A box, in units of the axes.
   *
   * @param title shown when a pointer is over it
   */
  Plot box(String type, double left, double right, double bottom, double top, String title) {
    marks
        .append("<rect class=\"")
        .append(type)
        .append("\" x=\"")
        .append(along(left))
        .append("\" y=\"")
        .append(down(top))
        .append("\" width=\"")
        .append(number((right - left) / x.end() * WIDTH))
        .append("\" height=\"")
        .append(number((top - bottom) / y.end() * HEIGHT))
        .append("\"><title>")
        .append(Html.escape(title))
        .append("</title></rect>");
    return this;
  }

  /**
   * A box that is at least one pixel wide however the chart is stretched: the narrow ones have a
   * line in their middle that keeps its width.
   *
   * @param title shown when a pointer is over it
   */
  Plot span(String type, double left, double right, double bottom, double top, String title) {
    box(type, left, right, bottom, top, title);
    if ((right - left) / x.end() * WIDTH < NARROW) {
      marks
          .append("<path class=\"stroke thin ")
          .append(type)
          .append("\" d=\"M")
          .append(along((left + right) / 2))
          .append(' ')
          .append(down(top))
          .append('V')
          .append(down(bottom))
          .append("\"><title>")
          .append(Html.escape(title))
          .append("</title></path>");
    }
    return this;
  }

  /** A line through points, in units of the axes. */
  Plot line(String type, List<Point> points) {
    marks.append("<path class=\"stroke ").append(type).append("\" d=\"");
    for (int i = 0; i < points.size(); i++) {
      marks.append(i == 0 ? 'M' : 'L').append(along(points.get(i).x())).append(' ');
      marks.append(down(points.get(i).y()));
    }
    marks.append("\"/>");
    return this;
  }

  /** A dot of the same size however the chart is stretched. */
  Plot dot(String type, Point at, String title) {
    marks
        .append("<path class=\"dot ")
        .append(type)
        .append("\" d=\"M")
        .append(along(at.x()))
        .append(' ')
        .append(down(at.y()))
        .append("h.01\"><title>")
        .append(Html.escape(title))
        .append("</title></path>");
    return this;
  }

  /** A place in units of the axes. */
  record Point(double x, double y) {}

  /** A box from bottom to top. */
  Plot column(String type, double left, double right, String title) {
    return box(type, left, right, 0, y.end(), title);
  }

  /**
   * Adds the chart to a page.
   *
   * @param size class that says how high it is
   * @param label what is seen, for those who do not see it
   */
  void addTo(Html html, String size, String label) {
    html.raw("<div class=\"plot ").raw(size).raw(y.ticks().isEmpty() ? " bare" : "").raw("\">");
    if (!y.ticks().isEmpty()) {
      html.raw("<div class=\"y\">");
      for (Tick tick : y.ticks()) {
        html.raw(
                String.format(
                    Locale.ROOT, "<span style=\"bottom:%s%%\">", number(100 * tick.share())))
            .text(tick.text())
            .raw("</span>");
      }
      html.raw("</div>");
    }
    html.raw(
        "<svg role=\"img\" viewBox=\"0 0 1000 100\" preserveAspectRatio=\"none\" aria-label=\"");
    html.text(label).raw("\">");
    for (Tick tick : y.ticks()) {
      html.raw(
          String.format(
              Locale.ROOT,
              "<path class=\"grid\" d=\"M0 %sH1000\"/>",
              number(HEIGHT * (1 - tick.share()))));
    }
    html.raw(marks.toString()).raw("</svg>");
    if (!x.ticks().isEmpty()) {
      html.raw("<div class=\"x\">");
      for (Tick tick : x.ticks()) {
        String edge =
            tick.share() < 0.03 ? " class=\"first\"" : tick.share() > 0.97 ? " class=\"last\"" : "";
        html.raw(
                String.format(
                    Locale.ROOT, "<span%s style=\"left:%s%%\">", edge, number(100 * tick.share())))
            .text(tick.text())
            .raw("</span>");
      }
      html.raw("</div>");
    }
    html.raw("</div>\n");
  }

  private String along(double value) {
    return number(value / x.end() * WIDTH);
  }

  private String down(double value) {
    return number(HEIGHT * (1 - value / y.end()));
  }

  /** At most two digits behind the point, and none that say nothing. */
  private static String number(double value) {
    String text = String.format(Locale.ROOT, "%.2f", value);
    int end = text.length();
    while (text.charAt(end - 1) == '0') {
      end--;
    }
    end -= text.charAt(end - 1) == '.' ? 1 : 0;
    return text.substring(0, end).equals("-0") ? "0" : text.substring(0, end);
  }
}
