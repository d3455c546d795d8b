package dev.offload.jobs.rows;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class GoldLabelsTest {

  @Test
  void shouldFindLabelsByIdsAsTexts() throws Exception {
    GoldLabels gold = read("{'id':1,'topic':'Linux'}\n{'id':'x','topic':5,'more':[]}");
    assertEquals(Optional.of("Linux"), gold.of(LongNode.valueOf(1)));
    assertEquals(Optional.of("Linux"), gold.of(TextNode.valueOf("1")));
    assertEquals(Optional.of("5"), gold.of(TextNode.valueOf("x")));
    assertEquals(Optional.empty(), gold.of(TextNode.valueOf("y")));
  }

  @Test
  void shouldRefuseRowsThatSayNothing() {
    assertEquals("line 1: field id is missing", refusal("{'topic':'a'}"));
    assertEquals("line 2: field topic is missing", refusal("\n{'id':1}"));
    assertEquals(
        "line 2: id 1 was given before", refusal("{'id':1,'topic':'a'}\n{'id':'1','topic':'a'}"));
    assertEquals(
        "line 1: topic is an array, must be a text, a number, true or false",
        refusal("{'id':1,'topic':[]}"));
  }

  private static String refusal(String lines) {
    return assertThrows(RowException.class, () -> read(lines)).getMessage();
  }

  private static GoldLabels read(String lines) throws Exception {
    byte[] bytes = lines.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    try (RowSource source = JsonLines.of(new ByteArrayInputStream(bytes))) {
      return GoldLabels.read(source, "topic");
    }
  }
}
