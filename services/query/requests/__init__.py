"""What a request asks for and how it fails, for the API and the pages alike."""
