package dev.offload.jobs.report;

import dev.offload.planner.Recommendation.Item;
import dev.offload.planner.Recommendation.Memory;
import dev.offload.tensors.Tier;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Tier bars: what lives where, as shares of each budget. */
final class TierSection {
  private static final int COLOURS = 8;

  private TierSection() {}

  static void add(Html html, Map<Tier, Memory> memory) {
    html.raw("<section>\n<h2>What lives where</h2>\n<p class=\"note\">");
    html.text("Each bar is the budget of a tier; what is off the device crosses to it in every");
    html.text(" pass, except cache that the CPU attends to and experts that it computes.");
    html.raw("</p>\n");
    Map<String, Integer> colours = colours(memory);
    for (Tier tier : Tier.values()) {
      Memory on = memory.get(tier);
      if (on != null && (on.usedBytes() > 0 || on.budgetBytes() > 0)) {
        tier(html, PlanReport.name(tier), on, colours);
      }
    }
    html.raw("</section>\n");
  }

  /** The same thing has the same colour on every tier. */
  private static Map<String, Integer> colours(Map<Tier, Memory> memory) {
    Map<String, Integer> colours = new LinkedHashMap<>();
    for (Tier tier : Tier.values()) {
      for (Item item : items(memory.getOrDefault(tier, new Memory(0, List.of())))) {
        colours.putIfAbsent(item.name(), colours.size() % COLOURS);
      }
    }
    return colours;
  }

  private static List<Item> items(Memory memory) {
    return memory.items().stream()
        .filter(item -> item.bytes() > 0)
        .sorted(Comparator.comparingLong(Item::bytes).reversed())
        .toList();
  }

  private static void tier(Html html, String name, Memory on, Map<String, Integer> colours) {
    html.raw("<div class=\"tier\"><div class=\"of\">").element("b", name).raw(" ");
    html.element(
        "span", "%s of %s".formatted(Words.bytes(on.usedBytes()), Words.bytes(on.budgetBytes())));
    html.raw("</div>\n<div class=\"stack\" role=\"img\" aria-label=\"");
    html.text("%s memory: %s used".formatted(name, Words.bytes(on.usedBytes()))).raw("\">");
    double whole = Math.max(on.budgetBytes(), on.usedBytes());
    for (Item item : items(on)) {
      html.raw("<i class=\"c" + colours.get(item.name()) + "\" style=\"width:");
      html.raw(String.format(Locale.ROOT, "%.3f%%", 100 * item.bytes() / whole));
      html.raw("\" title=\"").text(item.name() + ": " + Words.bytes(item.bytes())).raw("\"></i>");
    }
    html.raw("</div>\n<div class=\"parts\">");
    for (Item item : items(on)) {
      html.raw("<span><i class=\"c" + colours.get(item.name()) + "\"></i>");
      html.text(item.name() + " " + Words.bytes(item.bytes())).raw("</span>");
    }
    html.raw("</div></div>\n");
  }
}
