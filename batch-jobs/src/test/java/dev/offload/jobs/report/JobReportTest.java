package dev.offload.jobs.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

class JobReportTest {
  /** Tags, quotes and ends of comments; control characters, half a pair, a right-to-left mark. */
  private static final String HOSTILE =
      "<script>alert(\"1\")</script>'\"--></style><img src=http://x.example/>&amp;\u0000\u001B\uD800\u202E";

  @Test
  void shouldReadBackWhatItWrote() throws Exception {
    JobReport report = SampleReports.labeled("a text");
    assertEquals(report, JobReport.fromJson(report.toJson()));
    JsonNode json = new ObjectMapper().readTree(report.toJson());
    assertEquals(3, json.at("/rows/answered").asLong() - 1, "one of two resumed rows was refused");
    assertEquals(178, json.at("/work/total_tokens_per_second").asDouble());
    assertEquals("gpu", json.at("/lanes/0/lane").asText());
    assertEquals("gpu", json.at("/verdict/bound").asText());
    assertEquals(10, json.at("/over_time/busy_shares/h2d").size());
    assertEquals("field is a text", json.at("/errors/0/kind").asText());
    assertEquals(1.0 / 3, json.at("/labels/accuracy").asDouble());
    assertEquals("(other)", json.at("/labels/matrix/2/name").asText());
    assertEquals("experts 0 to 3, layer 1", json.at("/timeline/tasks/2/task").asText());
  }

  @Test
  void shouldShowHostileTextsAsTexts() throws Exception {
    String page = ReportPage.html(SampleReports.labeled(HOSTILE));
    assertFalse(page.contains("<script"), page);
    assertFalse(page.contains("<img"), page);
    assertEquals(1, page.split("</style>", -1).length - 1);
    assertEquals(page, new String(page.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8));
    Document document = parse(page);
    String shown = HOSTILE.replaceAll("[\u0000\u001B\uD800]", "\uFFFD");
    String text = document.getDocumentElement().getTextContent();
    assertTrue(text.contains("x.example/>&amp;"), "the name of the output");
    for (String place : new String[] {"1", "2", "3", "4"}) {
      assertTrue(text.contains(place + shown), "place " + place);
    }
    for (String name : new String[] {"script", "img", "a", "link", "iframe"}) {
      assertEquals(0, document.getElementsByTagName(name).getLength(), name);
    }
  }

  @Test
  void shouldShowHowRightLabelsAre() throws Exception {
    Document document = parse(ReportPage.html(SampleReports.labeled("x")));
    String text = document.getDocumentElement().getTextContent();
    assertTrue(text.contains("33.3 %1 of 3 rows"), text);
    assertTrue(text.contains("Rows without a gold label: 1, not counted."), text);
    assertTrue(text.contains("Rows whose gold label is not among the labels: 1, counted"), text);
    NodeList rows = document.getElementsByTagName("tr");
    assertEquals("3x100.0 %50.0 %21", rows.item(1).getTextContent());
    assertEquals("3x11", rows.item(4).getTextContent());
    assertEquals("(other)·1", rows.item(6).getTextContent());
  }

  @Test
  void shouldShowAJobInWhichNothingWasComputed() throws Exception {
    JobReport nothing =
        ReportMaker.report(
            new JobReport.Job(
                "0.1.0", "generate", "2026-01-02T03:04:05Z", false, java.util.Map.of()),
            new RunRecorder(),
            0,
            0,
            new ReportMaker.EngineFacts(
                SampleReports.engine().machine(),
                SampleReports.engine().memory(),
                8,
                Optional.empty()),
            Optional.empty());
    String text = parse(ReportPage.html(nothing)).getDocumentElement().getTextContent();
    assertTrue(text.contains("Nothing to compute"), text);
    assertTrue(text.contains("Stopped before all rows were done"), text);
    assertEquals(nothing, JobReport.fromJson(nothing.toJson()));
  }

  @Test
  void shouldMakeTheSamePageOfTheSameReport() {
    assertEquals(
        ReportPage.html(SampleReports.labeled("x")), ReportPage.html(SampleReports.labeled("x")));
  }

  /** The page is well-formed apart from its document type and the tags that HTML never closes. */
  private static Document parse(String page) throws Exception {
    String xml = page.replace("<!DOCTYPE html>\n", "").replaceAll("<meta [^>]*>", "");
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)));
  }
}
