package dev.offload.jobs.rows;

/**
 * One turn of a conversation.
 *
 * @param role who speaks: system, developer, user, assistant or tool
 * @param content what was said
 */
public record ChatMessage(String role, String content) {}
