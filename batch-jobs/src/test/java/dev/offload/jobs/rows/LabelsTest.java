package dev.offload.jobs.rows;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LabelsTest {

  @Test
  void shouldRefuseLabelsThatCannotBeToldApart() {
    assertEquals(
        "label 3, 'a', was given before; give each label once", refusal(List.of("a", "b", "a")));
    assertEquals("label 2 is empty; leave it out", refusal(List.of("a", "")));
    assertEquals("label 1 is empty; leave it out", refusal(List.of(" ", "b")));
    assertEquals("there are 1 labels, must be from 2 to 1000", refusal(List.of("a")));
    assertEquals(
        "there are 1001 labels, must be from 2 to 1000",
        refusal(IntStream.range(0, 1001).mapToObj(Integer::toString).toList()));
    assertEquals(
        "label 1 has 1001 characters, at most 1000 are allowed",
        refusal(List.of("a".repeat(1001), "b")));
  }

  @Test
  void shouldFindALabelThatBeginsAnother() {
    List<String> names = List.of("Script", "JavaScript", "Java");
    assertEquals(
        Optional.of(List.of("Java", "JavaScript")), new Labels(names, "").beginningOfAnother());
    assertEquals(Optional.empty(), new Labels(names, "\n").beginningOfAnother());
    assertEquals(Optional.empty(), new Labels(List.of("yes", "no"), "").beginningOfAnother());
  }

  private static String refusal(List<String> names) {
    return assertThrows(IllegalArgumentException.class, () -> new Labels(names, "")).getMessage();
  }
}
