package dev.offload.jobs;

import dev.offload.generation.TokenIds;
import dev.offload.jobs.rows.ChatMessage;
import dev.offload.jobs.rows.Prompt;
import dev.offload.jobs.rows.PromptEncoder;
import dev.offload.jobs.rows.RowException;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.text.ChatTemplate;
import dev.offload.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/**
 * Prompts as a model's own files say. The chat template is read when the first conversation comes.
 * Owned by one thread.
 */
final class ModelPrompts implements PromptEncoder {
  private final Path folder;
  private final Tokenizer tokenizer;
  private final ModelConfig config;
  private final int maxSequenceTokens;
  private ChatTemplate template;

  ModelPrompts(Path folder, Tokenizer tokenizer, ModelConfig config, int maxSequenceTokens) {
    this.folder = folder;
    this.tokenizer = tokenizer;
    this.config = config;
    this.maxSequenceTokens = maxSequenceTokens;
  }

  @Override
  public TokenIds encode(String text) {
    return tokenizer.encode(text, true);
  }

  @Override
  public String render(Prompt.Chat chat) throws RowException {
    try {
      if (template == null) {
        template = ChatTemplate.open(folder);
      }
      if (!chat.tools().isEmpty() && !template.readsTools()) {
        throw new RowException("tools: the model's chat template reads none; leave them out");
      }
      return template.render(
          chat.messages().stream().map(ChatMessage::fields).toList(), chat.tools(), true, Map.of());
    } catch (IOException | IllegalArgumentException e) {
      throw new RowException("messages: " + e.getMessage(), e);
    }
  }

  @Override
  public TokenIds encodeRendered(String text) {
    return tokenizer.encode(text, false);
  }

  @Override
  public int vocabularySize() {
    return config.vocabularySize();
  }

  @Override
  public int contextLength() {
    return config.contextLength();
  }

  @Override
  public int maxSequenceTokens() {
    return maxSequenceTokens;
  }
}
