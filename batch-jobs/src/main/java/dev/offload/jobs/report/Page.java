package dev.offload.jobs.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** What all pages have in common. They load nothing and run nothing: everything is in one file. */
final class Page {
  /** Forbids the page to load or run anything, should a text ever get out of its quotes. */
  private static final String POLICY = "default-src 'none'; style-src 'unsafe-inline'";

  private Page() {}

  /** A page up to its first section. */
  static Html begin(String title) {
    Html html = new Html();
    html.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"").raw(POLICY).raw("\">\n");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.raw("<meta name=\"color-scheme\" content=\"light dark\">\n");
    html.element("title", title).raw("\n<style>\n").raw(style()).raw("</style>\n</head>\n");
    return html.raw("<body>\n<main>\n");
  }

  /** The whole page. */
  static String end(Html html) {
    return html.raw("</main>\n</body>\n</html>\n").toString();
  }

  /** A figure in large, with its name above and a word on it below. */
  static void tile(Html html, String name, String value, String more) {
    html.raw("<div class=\"tile\">").element("span", "name", name).element("span", "big", value);
    html.element("span", "more", more).raw("</div>\n");
  }

  /** Names and values. */
  static void list(Html html, Map<String, String> facts) {
    html.raw("<dl>\n");
    facts.forEach((name, value) -> html.element("dt", name).element("dd", value).raw("\n"));
    html.raw("</dl>\n");
  }

  private static String style() {
    try (InputStream in = Page.class.getResourceAsStream("report.css")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("report.css is part of this program and cannot be read", e);
    }
  }
}
