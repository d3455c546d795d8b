package dev.offload.text;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.NullNode;
import java.io.IOException;

/**
 * What decoding needs from a tokenizer.json: tokens by id, and how they become text.
 *
 * @param vocabulary tokens by id
 * @param decoder how tokens become text
 */
record TokenizerDefinition(Vocabulary vocabulary, TokenDecoder decoder) {

  static TokenizerDefinition parse(TokenizerSource source) throws IOException {
    try {
      return new Reader(source.json()).read();
    } catch (JsonProcessingException e) {
      throw source.broken(
          "line %d: %s".formatted(e.getLocation().getLineNr(), e.getOriginalMessage()), e);
    } catch (IllegalArgumentException e) {
      throw source.broken(e.getMessage(), e);
    }
  }

  /** Walks the document once; the merges, half of it, are passed over. */
  private static final class Reader {
    private final JsonParser parser;
    private final Vocabulary.Builder tokens = new Vocabulary.Builder();
    private JsonNode addedTokens = NullNode.getInstance();
    private JsonNode decoder = NullNode.getInstance();
    private boolean hasVocabulary;

    Reader(String json) throws IOException {
      parser = new ObjectMapper().createParser(json);
    }

    TokenizerDefinition read() throws IOException {
      require(parser.nextToken() == JsonToken.START_OBJECT, "it is not an object");
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String field = parser.currentName();
        parser.nextToken();
        switch (field) {
          case "added_tokens" -> addedTokens = parser.readValueAsTree();
          case "decoder" -> decoder = parser.readValueAsTree();
          case "model" -> readModel();
          default -> parser.skipChildren();
        }
      }
      require(hasVocabulary, "field model.vocab is missing");
      for (JsonNode added : addedTokens) {
        addToken(added);
      }
      return new TokenizerDefinition(tokens.build(), TokenDecoders.parse(decoder));
    }

    private void readModel() throws IOException {
      require(parser.currentToken() == JsonToken.START_OBJECT, "field model is not an object");
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        boolean isVocabulary = parser.currentName().equals("vocab");
        JsonToken start = parser.nextToken();
        if (isVocabulary && start == JsonToken.START_OBJECT) {
          readIds();
        } else if (isVocabulary && start == JsonToken.START_ARRAY) {
          readScores();
        } else {
          parser.skipChildren();
        }
        hasVocabulary |= isVocabulary;
      }
    }

    /** {@code {"token": id, …}} of BPE models. */
    private void readIds() throws IOException {
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String spelling = parser.currentName();
        require(
            parser.nextToken() == JsonToken.VALUE_NUMBER_INT,
            "the id of token \"" + spelling + "\" is not a whole number");
        tokens.add(parser.getIntValue(), spelling);
      }
    }

    /** {@code [["token", score], …]} of Unigram models; a token's id is its place. */
    private void readScores() throws IOException {
      for (int id = 0; parser.nextToken() == JsonToken.START_ARRAY; id++) {
        require(
            parser.nextToken() == JsonToken.VALUE_STRING,
            "entry " + id + " of model.vocab does not begin with a text");
        tokens.add(id, parser.getText());
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          parser.skipChildren();
        }
      }
    }

    private void addToken(JsonNode added) {
      JsonNode id = added.path("id");
      JsonNode content = added.path("content");
      require(id.isInt() && content.isTextual(), "an entry of added_tokens has no id or content");
      if (added.path("special").asBoolean()) {
        tokens.addSpecial(id.intValue(), content.textValue());
      } else {
        tokens.add(id.intValue(), content.textValue());
      }
    }

    private static void require(boolean holds, String otherwise) {
      if (!holds) {
        throw new IllegalArgumentException(otherwise);
      }
    }
  }
}
