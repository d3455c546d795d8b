package dev.offload.jobs.labels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

class LabelReportTest {
  private static final String HOSTILE = "<script>alert(\"1\")</script>&";

  @Test
  void shouldShowEveryNumberWithoutScriptsOrNetwork() throws Exception {
    Confusion confusion = new Confusion(List.of(HOSTILE, "b"));
    confusion.add(HOSTILE, HOSTILE);
    confusion.add(HOSTILE, "b");
    confusion.add("b", "b");
    String page = LabelReport.html(Map.of("template", HOSTILE + "{text}"), confusion);
    assertFalse(page.contains("<script"), page);
    assertFalse(page.contains("http"), page);
    assertFalse(page.contains("src="), page);
    Document document = parse(page);
    assertTrue(document.getTextContent() == null);
    String text = document.getDocumentElement().getTextContent();
    assertTrue(text.contains("66.7 % accuracy: 2 of 3 rows"), text);
    assertTrue(text.contains(HOSTILE + "{text}"), text);
    NodeList tables = document.getElementsByTagName("table");
    assertEquals(4, tables.getLength());
    assertEquals(
        HOSTILE + "100.0 %50.0 %21", tables.item(1).getChildNodes().item(3).getTextContent());
    assertEquals(HOSTILE + "11", tables.item(2).getChildNodes().item(3).getTextContent());
    assertEquals("b01", tables.item(2).getChildNodes().item(5).getTextContent());
  }

  @Test
  void shouldShowLabelsGivenIfNothingIsKnown() throws Exception {
    Confusion confusion = new Confusion(List.of("a", "b"));
    confusion.add("a");
    Document document = parse(LabelReport.html(Map.of("model", "m"), confusion));
    assertEquals(2, document.getElementsByTagName("table").getLength());
    assertFalse(document.getDocumentElement().getTextContent().contains("accuracy:"));
  }

  /** The page is well-formed apart from its document type and the tags that HTML never closes. */
  private static Document parse(String page) throws Exception {
    String xml =
        page.replace("<!DOCTYPE html>\n", "")
            .replace("<meta charset=\"utf-8\">", "")
            .replaceAll("<meta name=[^>]*>", "");
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)));
  }
}
