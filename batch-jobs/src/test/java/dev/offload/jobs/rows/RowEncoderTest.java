package dev.offload.jobs.rows;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.node.LongNode;
import dev.offload.generation.SamplingParams;
import dev.offload.generation.TokenIds;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class RowEncoderTest {
  private final RowEncoder encoder = new RowEncoder(new LetterEncoder());

  @Test
  void shouldEncodeTextTokensAndConversations() throws Exception {
    assertEquals(TokenIds.of(0, 1, 25), encode(new Prompt.Text("abz")));
    assertEquals(TokenIds.of(3, 4), encode(new Prompt.Tokens(TokenIds.of(3, 4))));
    assertEquals(
        TokenIds.of(7, 8), encode(new Prompt.Chat(List.of(new ChatMessage("user", "hi")))));
  }

  @Test
  void shouldRefuseWhatTheModelCannotTake() {
    assertEquals("prompt is empty: it has no tokens", refusal(new Prompt.Text(" ")));
    assertEquals(
        "prompt has 10 tokens, the model's context is 10 and needs room for at least one more",
        refusal(new Prompt.Text("abcdefghij")));
    assertEquals(
        "prompt[1] is 26, token ids of this model are from 0 to 25",
        refusal(new Prompt.Tokens(TokenIds.of(1, 26))));
    assertEquals(
        "prompt[0] is -1, token ids of this model are from 0 to 25",
        refusal(new Prompt.Tokens(TokenIds.of(-1))));
  }

  @Test
  void shouldRefuseWhatThereIsNoMemoryFor() {
    assertEquals(
        "prompt and max_tokens are 9 tokens together, there is memory for 8 per row; lower"
            + " max_tokens, reserve more with --kv-tokens 9, or give more --device-memory",
        refusal(new Prompt.Text("abcde")));
  }

  @Test
  void shouldRefuseTokensOutsideTheVocabularyInParameters() {
    assertEquals(
        "stop_token_ids is 30, token ids of this model are from 0 to 25",
        refusal(sampling(Map.of(), List.of(30))));
    assertEquals(
        "logit_bias is 99, token ids of this model are from 0 to 25",
        refusal(sampling(Map.of(99, 1.0), List.of())));
  }

  private TokenIds encode(Prompt prompt) throws RowException {
    return encoder.encode(row(prompt, SamplingParams.greedy(4))).prompt();
  }

  private String refusal(Prompt prompt) {
    return assertThrows(RowException.class, () -> encode(prompt)).getMessage();
  }

  private String refusal(SamplingParams sampling) {
    Row row = row(new Prompt.Text("a"), sampling);
    return assertThrows(RowException.class, () -> encoder.encode(row)).getMessage();
  }

  private static SamplingParams sampling(Map<Integer, Double> bias, List<Integer> stops) {
    return new SamplingParams(
        0, 1, 0, 0, 1, 0, 0, bias, OptionalLong.empty(), 4, 0, false, List.of(), stops, 1, -1);
  }

  private static Row row(Prompt prompt, SamplingParams sampling) {
    return new Row(
        new Row.Key(0, 1, LongNode.valueOf(1)),
        RowFormat.SIMPLE,
        "",
        prompt,
        sampling,
        Optional.empty(),
        false);
  }

  /** One token per letter a to z, everything else dropped; context of ten. */
  private static final class LetterEncoder implements PromptEncoder {
    @Override
    public TokenIds encode(String text) {
      return TokenIds.of(
          text.chars().filter(Character::isLowerCase).map(letter -> letter - 'a').toArray());
    }

    @Override
    public String render(Prompt.Chat chat) {
      return chat.messages().getLast().content();
    }

    @Override
    public TokenIds encodeRendered(String text) {
      return encode(text);
    }

    @Override
    public int vocabularySize() {
      return 26;
    }

    @Override
    public int contextLength() {
      return 10;
    }

    @Override
    public int maxSequenceTokens() {
      return 8;
    }
  }
}
