package dev.offload.constraint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Random;
import java.util.regex.Pattern;
import org.apache.lucene.util.automaton.Automaton;
import org.apache.lucene.util.automaton.Operations;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class RegexParserTest {
  private static final String[] ATOMS = {
    "a",
    "b",
    "é",
    "😀",
    ".",
    "\\d",
    "\\D",
    "\\w",
    "\\W",
    "\\s",
    "\\S",
    "[ab]",
    "[^a]",
    "[a-c\\d-]",
    "[^\\s😀]",
    "\\.",
    "\\n",
    "\\x61",
    "\\u00e9",
    "\\ud83d\\ude00",
    "[\\]\\-\\[]",
    "_",
    " ",
    "-",
    "\\{"
  };
  private static final String[] COUNTS = {"", "", "", "*", "+", "?", "{2}", "{0,2}", "{1,}", "*?"};
  private static final String[] TEXTS = {
    "a", "b", "c", "d", "é", "😀", "0", "7", " ", "\n", "\t", "\u000b", "\r", "_", "-", ".", "[",
    "]", "{", "\u2028", "\u0085", "\u00a0"
  };

  @Test
  void shouldAcceptWhatJavaMatches() {
    Random random = new Random(7);
    int matches = 0;
    for (int i = 0; i < 40; i++) {
      String regex = regex(random, 3);
      Automaton automaton = BoundedAutomata.determinized(RegexParser.whole(regex));
      Automaton searching = BoundedAutomata.determinized(RegexParser.found(regex));
      Pattern pattern = Pattern.compile(regex);
      for (int j = 0; j < 100; j++) {
        String text = text(random);
        boolean expected = pattern.matcher(text).matches();
        assertEquals(expected, Operations.run(automaton, text), () -> regex + " on " + text);
        assertEquals(
            pattern.matcher(text).find(),
            Operations.run(searching, text),
            () -> regex + " in " + text);
        matches += expected ? 1 : 0;
      }
    }
    assertTrue(matches > 100, matches + " matches");
  }

  private static String regex(Random random, int depth) {
    StringBuilder regex = new StringBuilder();
    for (int parts = 1 + random.nextInt(3); parts > 0; parts--) {
      boolean group = depth > 0 && random.nextInt(3) == 0;
      regex.append(
          group
              ? (random.nextBoolean() ? "(" : "(?:") + regex(random, depth - 1) + ")"
              : ATOMS[random.nextInt(ATOMS.length)]);
      regex.append(COUNTS[random.nextInt(COUNTS.length)]);
    }
    return random.nextInt(4) == 0 ? regex + "|" + regex(random, depth - 1) : regex.toString();
  }

  private static String text(Random random) {
    StringBuilder text = new StringBuilder();
    for (int parts = random.nextInt(5); parts > 0; parts--) {
      text.append(TEXTS[random.nextInt(TEXTS.length)]);
    }
    return text.toString();
  }

  @ParameterizedTest
  @ValueSource(strings = {"^a|b$", "^ab$", "^$", "a$|^b", "", "a|", "^(a|b)*$"})
  void shouldUnderstandAnchorsAtTheEnds(String regex) {
    Automaton searching = BoundedAutomata.determinized(RegexParser.found(regex));
    Automaton whole = BoundedAutomata.determinized(RegexParser.whole(regex));
    for (String text : new String[] {"", "a", "b", "ab", "ba", "xa", "ax", "xb", "bx", "xabx"}) {
      Pattern pattern = Pattern.compile(regex);
      assertEquals(pattern.matcher(text).find(), Operations.run(searching, text), text);
      assertEquals(pattern.matcher(text).matches(), Operations.run(whole, text), text);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      quoteCharacter = '`',
      value = {
        "(a 1",
        "a) 2",
        "a(?=b) 2",
        "(?<n>a) 1",
        "(?i)a 1",
        "[a 1",
        "[] 2",
        "[^] 3",
        "[z-a] 2",
        "[\\d-z] 2",
        "[a&&b] 3",
        "[[a]] 2",
        "a** 3",
        "a*+ 3",
        "+a 1",
        "a{2 2",
        "a{ 2",
        "a{,3} 2",
        "a{3,2} 2",
        "{ 1",
        "\\bword 1",
        "(a)\\1 4",
        "\\p{L} 1",
        "\\ 1",
        "\\x6 1",
        "\\ud83d 1",
        "a^b 2",
        "a$b 2",
        "(^a) 2",
        "a{100001} 2"
      })
  void shouldRefuseWhatItDoesNotKnowWithItsPlace(String regex, int character) {
    IllegalArgumentException refusal =
        assertThrows(IllegalArgumentException.class, () -> TextConstraint.regex(regex));
    assertTrue(
        refusal.getMessage().contains("at character " + character + ":"), refusal.getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(a|b)*a(a|b){30}",
        "((a{1000}){1000}){1000}",
        ".{100000}",
        "(.*a.*b.*c){50}x(.{40}){30}",
        "(((.{0,90}){0,90}){0,90})",
        "[^a]{99999}[^b]{99999}"
      })
  void shouldRefuseWhatWouldGrowTooLarge(String regex) {
    assertTimeoutPreemptively(
        Duration.ofMinutes(10),
        () -> {
          IllegalArgumentException refusal =
              assertThrows(IllegalArgumentException.class, () -> TextConstraint.regex(regex));
          assertTrue(refusal.getMessage().contains("states"), refusal.getMessage());
        });
  }

  @Test
  void shouldRefuseHostileTexts() {
    refuses("nested more than", "(".repeat(10_000));
    refuses("characters, at most", "a".repeat(100_000));
    refuses("surrogate", "\ud83d");
    refuses("only the empty text", "(a{0})*");
  }

  private static void refuses(String message, String regex) {
    String told =
        assertThrows(IllegalArgumentException.class, () -> TextConstraint.regex(regex))
            .getMessage();
    assertTrue(told.contains(message), told);
  }

  @Test
  void shouldReadWholeCharactersOnly() {
    for (String regex : new String[] {"[^a]+", ".{1,3}", "\\S*", "[\\u0080-\\udbff\\udfff]+"}) {
      Automaton bytes = TextConstraint.regex(regex).bytes();
      assertTrue(Operations.run(bytes, "\u00c3\u00a9"), regex); // é
      assertFalse(Operations.run(bytes, "\u00c3"), regex); // the first half of é
      assertFalse(Operations.run(bytes, "\u00ed\u00a0\u0080"), regex); // a surrogate
      assertFalse(Operations.run(bytes, "\u00c0\u00a0"), regex); // a blank, too long
      assertFalse(Operations.run(bytes, "\u00e0\u0082\u00a9"), regex); // U+00A9, too long
      assertFalse(Operations.run(bytes, "\u00f0\u0082\u0082\u00a9"), regex);
      assertFalse(Operations.run(bytes, "\u00f4\u0090\u0080\u0080"), regex); // above U+10FFFF
    }
  }
}
