import { jsonCall, type Writer } from './message.ts';

/** An incoming webhook as Slack has it, and Mattermost, Rocket.Chat, Discord (`…/slack`) and others after it: `{ text }`. */
export const slack: Writer = (url, { title, text }) => jsonCall(url, { text: `*${escaped(title)}*\n${escaped(text)}` });

/** docs.slack.dev, "Formatting message text": these three are markup. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
