// Idles, and says on request how long it believes it has been running.
void setup() { Serial.begin(115200); }

void loop() {
  if (Serial.read() == '\n') Serial.println(millis());
}
