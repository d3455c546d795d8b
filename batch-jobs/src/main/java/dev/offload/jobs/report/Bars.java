package dev.offload.jobs.report;

import java.util.Locale;

/** Lines of a name, a bar and a value, under one another. */
final class Bars {
  private final Html html;

  private Bars(Html html) {
    this.html = html;
  }

  /** Begins a group of lines. */
  static Bars begin(Html html) {
    html.raw("<div class=\"bars\">\n");
    return new Bars(html);
  }

  /**
   * Adds a line.
   *
   * @param type class of the bar, which gives its colour
   * @param share length of the bar, 0 to 1
   */
  Bars line(String type, String name, double share, String value) {
    html.raw("<span class=\"name\">").text(name).raw("</span><span class=\"track\"><i class=\"");
    html.raw(type).raw("\" style=\"width:");
    html.raw(String.format(Locale.ROOT, "%.2f", 100 * Math.clamp(share, 0.0, 1.0)));
    html.raw("%\"></i></span><span class=\"value\">").text(value).raw("</span>\n");
    return this;
  }

  /** Ends the group. */
  void end() {
    html.raw("</div>\n");
  }
}
