package dev.offload.jobs.labels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfusionTest {
  @TempDir private Path folder;

  /** Gold to given: a→a 3, a→b 1, b→a 2, c→c 0; another label→b 1; one row without gold→a. */
  private static Confusion example() {
    Confusion confusion = new Confusion(List.of("a", "b", "c"));
    for (String[] row : new String[][] {{"a", "a"}, {"a", "a"}, {"a", "a"}, {"a", "b"}}) {
      confusion.add(row[0], row[1]);
    }
    confusion.add("b", "a");
    confusion.add("b", "a");
    confusion.add("z", "b");
    confusion.add("a");
    return confusion;
  }

  @Test
  void shouldCountWhatIsRight() {
    Confusion confusion = example();
    assertEquals(7, confusion.compared());
    assertEquals(3, confusion.right());
    assertEquals(OptionalDouble.of(3 / 7.0), confusion.accuracy());
    assertEquals(OptionalDouble.of(3 / 5.0), confusion.precision(0));
    assertEquals(OptionalDouble.of(3 / 4.0), confusion.recall(0));
    assertEquals(OptionalDouble.of(0), confusion.precision(1));
    assertEquals(OptionalDouble.of(0), confusion.recall(1));
    assertEquals(OptionalDouble.empty(), confusion.precision(2));
    assertEquals(OptionalDouble.empty(), confusion.recall(2));
    assertEquals(1, confusion.unknownGold());
    assertEquals(1, confusion.withoutGold());
    assertEquals(6, confusion.given(0));
    assertEquals(OptionalDouble.empty(), new Confusion(List.of("a", "b")).accuracy());
  }

  @Test
  void shouldPrintAccuracyLabelsAndMatrix() {
    assertEquals(
        """
        accuracy 42.9 %: 3 of 7 rows
        1 rows have no gold label and are not counted
        1 rows have a gold label that is not among the labels; they count as wrong

        label  precision  recall  gold  given
        a         60.0 %  75.0 %     4      6
        b          0.0 %   0.0 %     2      2
        c              -       -     0      0

        confusion matrix: a row for each gold label, a column for each label given
                 a  b  c
        a        3  1  0
        b        2  0  0
        c        0  0  0
        (other)  0  1  0
        """
            .stripTrailing(),
        String.join("\n", LabelSummary.lines(example())));
  }

  @Test
  void shouldLeaveOutAMatrixThatNobodyCanRead() {
    Confusion confusion =
        new Confusion(IntStream.range(0, 51).mapToObj(number -> "label " + number).toList());
    confusion.add("label 1", "label 1");
    assertEquals(LabelSummary.NO_MATRIX, LabelSummary.lines(confusion).getLast());
  }

  @Test
  void shouldReadAnOutput() throws Exception {
    Path lines =
        Files.writeString(
            folder.resolve("out.jsonl"),
            """
            {"id":1,"label":"a","probabilities":{"a":0.9,"b":0.1},"gold":"a"}
            {"id":2,"label":"b","probabilities":{"a":0.1,"b":0.9}}
            """);
    Confusion confusion = Confusion.read(lines, List.of("a", "b"));
    assertEquals(1, confusion.right());
    assertEquals(1, confusion.compared());
    assertEquals(1, confusion.withoutGold());
  }

  @Test
  void shouldRefuseAnUnknownLabel() {
    assertThrows(IllegalArgumentException.class, () -> example().add("d"));
  }
}
