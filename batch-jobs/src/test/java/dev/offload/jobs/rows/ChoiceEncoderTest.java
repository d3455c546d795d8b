package dev.offload.jobs.rows;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.node.LongNode;
import dev.offload.generation.ChoiceRequest;
import dev.offload.generation.TokenIds;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Which tokens are a label's. */
class ChoiceEncoderTest {

  @Test
  void shouldTakeWhatFollowsThePromptInTheWholeText() throws Exception {
    ChoiceRequest request = encode(new Prompt.Text("one two"), "", " a", " b c");
    assertEquals(ids("one", " two"), request.prompt());
    assertEquals(List.of(ids(" a"), ids(" b", " c")), request.choices());
    assertEquals(5, request.index());
  }

  @Test
  void shouldCutBackAPromptWhoseEndJoinsTheLabels() throws Exception {
    ChoiceRequest request = encode(new Prompt.Text("one two "), "", "a", "b c");
    assertEquals(ids("one", " two"), request.prompt());
    assertEquals(List.of(ids(" a"), ids(" b", " c")), request.choices());
  }

  @Test
  void shouldCutBackForAllLabelsIfOneJoins() throws Exception {
    ChoiceRequest request = encode(new Prompt.Text("one two"), "", "s", " a");
    assertEquals(ids("one"), request.prompt());
    assertEquals(List.of(ids(" twos"), ids(" two", " a")), request.choices());
  }

  @Test
  void shouldAskForTheSuffixWithEachLabel() throws Exception {
    ChoiceRequest request = encode(new Prompt.Text("one"), " end", " a", " b");
    assertEquals(List.of(ids(" a", " end"), ids(" b", " end")), request.choices());
  }

  @Test
  void shouldFollowAConversationWithoutFurtherSpecialTokens() throws Exception {
    Prompt chat = new Prompt.Chat(List.of(new ChatMessage("user", "hi")));
    ChoiceRequest request = encode(chat, "", "a", "b");
    assertEquals(ids("user", " hi"), request.prompt());
    assertEquals(List.of(ids(" a"), ids(" b")), request.choices());
  }

  @Test
  void shouldRefuseWhatTheModelCannotTake() {
    assertEquals(
        "prompt and label are 9 tokens together (8 of them the prompt), the model's context is 8",
        refusal(new Prompt.Text("a b c d e f g h"), " a", " b"));
    assertEquals(
        "prompt and label are 7 tokens together, there is memory for 6 per row; reserve more with"
            + " --kv-tokens 7, or give more --device-memory",
        refusal(new Prompt.Text("a b c d e"), " a", " b c"));
    assertEquals(
        "prompt is empty: it has no tokens that all labels leave as they are",
        refusal(new Prompt.Text("one"), "a", "b"));
    assertEquals(
        "prompt is empty: it has no tokens that all labels leave as they are",
        refusal(new Prompt.Text(""), "a", "b"));
    assertEquals(
        "labels  a and  A are the same tokens to this tokenizer",
        refusal(new Prompt.Text("one"), " a", " A"));
    assertEquals(
        "label ! has no tokens after this prompt", refusal(new Prompt.Text("one"), " a", "!"));
  }

  private static ChoiceRequest encode(Prompt prompt, String suffix, String... labels)
      throws RowException {
    return new ChoiceEncoder(new WordEncoder(), new Labels(List.of(labels), suffix))
        .encode(new LabelRow(new Row.Key(5, 6, LongNode.valueOf(6)), prompt, Optional.empty()));
  }

  private static String refusal(Prompt prompt, String... labels) {
    return assertThrows(RowException.class, () -> encode(prompt, "", labels)).getMessage();
  }

  private static TokenIds ids(String... words) {
    return TokenIds.of(List.of(words).stream().map(WordEncoder::id).toList());
  }

  /**
   * A token per word with the spaces before it; spaces at the end are one of their own. No
   * difference between upper and lower case, exclamation marks are dropped; context of eight.
   */
  private static final class WordEncoder implements PromptEncoder {
    private static final Pattern WORD = Pattern.compile(" *[a-z]+| +");

    static int id(String word) {
      return word.hashCode() & 0xFFFFFF;
    }

    @Override
    public TokenIds encode(String text) {
      List<Integer> ids = new ArrayList<>();
      Matcher words = WORD.matcher(text.replace('A', 'a').replace("!", ""));
      while (words.find()) {
        ids.add(id(words.group()));
      }
      return TokenIds.of(ids);
    }

    @Override
    public String render(Prompt.Chat chat) {
      return "user " + chat.messages().getLast().content() + " ";
    }

    @Override
    public TokenIds encodeRendered(String text) {
      return encode(text);
    }

    @Override
    public int vocabularySize() {
      return 1 << 24;
    }

    @Override
    public int contextLength() {
      return 8;
    }

    @Override
    public int maxSequenceTokens() {
      return 6;
    }
  }
}
