package dev.offload.jobs;

import dev.offload.engine.Progress;
import dev.offload.generation.GenerationRequest;
import dev.offload.generation.GenerationResult;
import dev.offload.generation.GenerationResult.Choice;
import dev.offload.generation.GenerationResult.FinishReason;
import dev.offload.generation.RequestSource;
import dev.offload.generation.ResultSink;
import dev.offload.generation.TokenIds;
import dev.offload.jobs.rows.Prompt;
import dev.offload.jobs.rows.PromptEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Supplier;

/**
 * Answers each row with its prompt backwards, some rows at a time and out of order. The vocabulary
 * is bytes, the context 100.
 */
final class FakeGenerator implements Generator {
  private static final int IN_FLIGHT = 16;

  private final Random random;
  private final LongConsumer beforeFinish;

  /**
   * @param seed of the order in which rows finish
   * @param beforeFinish sees each row's number before it is handed to the sink
   */
  FakeGenerator(long seed, LongConsumer beforeFinish) {
    this.random = new Random(seed);
    this.beforeFinish = beforeFinish;
  }

  @Override
  public PromptEncoder prompts() {
    return new ByteEncoder();
  }

  @Override
  public void run(RequestSource source, ResultSink sink, Progress.Listener listener) {
    finishOutOfOrder(
        random,
        source::next,
        request -> {
          beforeFinish.accept(request.index());
          sink.finished(answer(request));
        });
  }

  /** Takes some requests at a time, and finishes any of them. */
  static <Q> void finishOutOfOrder(
      Random random, Supplier<Optional<Q>> source, Consumer<Q> finish) {
    List<Q> running = new ArrayList<>();
    for (boolean more = true; more || !running.isEmpty(); ) {
      while (more && running.size() < IN_FLIGHT) {
        Optional<Q> next = source.get();
        next.ifPresent(running::add);
        more = next.isPresent();
      }
      if (!running.isEmpty()) {
        finish.accept(running.remove(random.nextInt(running.size())));
      }
    }
  }

  private static GenerationResult answer(GenerationRequest request) {
    int[] ids = request.prompt().toArray();
    byte[] backwards = new byte[ids.length];
    for (int i = 0; i < ids.length; i++) {
      backwards[ids.length - 1 - i] = (byte) ids[i];
    }
    Choice choice =
        new Choice(
            request.prompt(),
            new String(backwards, StandardCharsets.UTF_8),
            FinishReason.STOP,
            Optional.empty());
    return new GenerationResult(request.index(), request.prompt(), List.of(choice));
  }

  @Override
  public void close() {}

  /** A token per byte. */
  static final class ByteEncoder implements PromptEncoder {
    @Override
    public TokenIds encode(String text) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      int[] ids = new int[bytes.length];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = bytes[i] & 0xFF;
      }
      return TokenIds.of(ids);
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
      return 256;
    }

    @Override
    public int contextLength() {
      return 100;
    }

    @Override
    public int maxSequenceTokens() {
      return 100;
    }
  }
}
